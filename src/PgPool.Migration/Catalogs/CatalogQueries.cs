namespace PgPool.Migration.Catalogs;

/// <summary>The questions to the catalogs, each for all tables at a time. What a version lacks is left out of its text.</summary>
internal static class CatalogQueries
{
    public const string Names = """
        SELECT n.oid IS NOT NULL, coalesce(c.oid, 0)::int8
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (schema_name, table_name, number)
        LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema_name
        LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.table_name
        ORDER BY wanted.number
        """;

    // Types and domains are told by what they are made of, so these are followed to their ends.
    private const string TypeParts = """
        SELECT a.attnum::int4 AS number, a.atttypid AS oid, a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS format
        FROM pg_catalog.pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL SELECT 1, t.typelem, '', ''
        WHERE t.typtype = 'b' AND t.typcategory = 'A' AND t.typelem <> 0 AND t.typname NOT IN ('int2vector', 'oidvector')
        UNION ALL SELECT 1, t.typbasetype, '', pg_catalog.format_type(t.typbasetype, t.typtypmod) WHERE t.typtype = 'd'
        UNION ALL SELECT 1, r.rngsubtype, '', '' FROM pg_catalog.pg_range r WHERE t.oid = r.rngtypid
        """;

    private const string MultirangeParts = " UNION ALL SELECT 1, r.rngsubtype, '', '' FROM pg_catalog.pg_range r WHERE t.oid = r.rngmultitypid";

    public const string Facts = """
        SELECT current_user::text, d.datname::text, d.oid::int8, pg_catalog.pg_encoding_to_char(d.encoding)::text,
               pg_catalog.concat_ws(' ', pg_catalog.current_setting('port'), extract(epoch FROM pg_catalog.pg_postmaster_start_time())),
               pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('default_transaction_read_only') = 'on',
               pg_catalog.current_setting('TimeZone'), pg_catalog.current_setting('lc_monetary'),
               ('x' || pg_catalog.encode(pg_catalog.cash_send(1::money), 'hex'))::bit(64)::int8
        FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
        """;

    /// <summary>Each partitioned table among $1 with itself and all that is below it.</summary>
    public static string Members(int version) => $"""
        WITH RECURSIVE tree (root, oid) AS (
            SELECT c.oid, c.oid FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1::oid[]) AND c.relkind = 'p'
            UNION ALL
            SELECT tree.root, i.inhrelid
            FROM tree
            JOIN pg_catalog.pg_class c ON c.oid = tree.oid AND c.relkind = 'p'
            JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid{(version >= 14 ? " AND NOT i.inhdetachpending" : "")})
        SELECT root::int8, oid::int8 FROM tree
        """;

    /// <summary>The relations $1, in the order of their names; their sizes if $2.</summary>
    public static string Relations(int version) => $"""
        SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text,
               CASE WHEN $2 AND c.relkind = 'r' THEN coalesce(pg_catalog.pg_table_size(c.oid), 0) ELSE 0 END,
               CASE WHEN $2 AND c.relkind = 'r'{(version >= 12 ? " AND m.amname = 'heap'" : "")}
                    THEN coalesce(pg_catalog.pg_relation_size(c.oid), 0) / pg_catalog.current_setting('block_size')::int8 ELSE 0 END,
               coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false),
               coalesce(pg_catalog.has_table_privilege(c.oid, 'TRUNCATE'), false),
               coalesce(pg_catalog.row_security_active(c.oid), false)
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
        WHERE c.oid = ANY ($1::oid[])
        ORDER BY n.nspname, c.relname
        """;

    /// <summary>The columns of the relations $1.</summary>
    public static string Columns(int version) => $"""
        SELECT a.attrelid::int8, a.attname::text, a.atttypid::int8, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
               {(version >= 12 ? "a.attgenerated <> ''" : "false")}, a.attidentity = 'a', a.atthasdef OR a.attidentity <> '',
               coalesce(pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'), false),
               coalesce(pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'INSERT'), false),
               coalesce(pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'UPDATE'), false)
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attrelid, a.attnum
        """;

    /// <summary>The columns of the primary keys of the relations $1.</summary>
    public static string Keys(int version) => $"""
        SELECT i.indrelid::int8, a.attname::text, i.indimmediate AND NOT i.indisexclusion, NOT i.indisexclusion
        FROM pg_catalog.pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS part (attnum, number)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = part.attnum
        WHERE i.indrelid = ANY ($1::oid[]) AND i.indisprimary AND i.indisvalid AND part.number <= i.{(version >= 11 ? "indnkeyatts" : "indnatts")}
        ORDER BY i.indrelid, part.number
        """;

    /// <summary>The types of the columns of the relations $1, and what these are made of.</summary>
    public static string Types(int version) => $"""
        WITH RECURSIVE used (oid) AS (
            SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
            UNION
            SELECT part.oid
            FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid
            CROSS JOIN LATERAL ({TypePartsOf(version)}) part)
        SELECT t.oid::int8, n.nspname::text, t.typname::text, pg_catalog.format_type(t.oid, -1), t.typtype::text,
               t.typtype = 'b' AND t.typcategory = 'A' AND t.typelem <> 0 AND t.typname NOT IN ('int2vector', 'oidvector'),
               n.nspname = 'pg_catalog' AND t.oid < 16384, t.typcategory = 'S',
               t.typsend::oid <> 0 AND t.typreceive::oid <> 0, t.typnotnull, t.typdefault IS NOT NULL,
               parts.oids, parts.names, parts.formats,
               ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
               (SELECT pg_catalog.concat_ws(' ', x.extname, x.extversion)
                FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
                WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid
                  AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e')
        FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        CROSS JOIN LATERAL (
            SELECT coalesce(array_agg(part.oid::int8 ORDER BY part.number), ARRAY[]::int8[]) AS oids,
                   coalesce(array_agg(part.name ORDER BY part.number), ARRAY[]::text[]) AS names,
                   coalesce(array_agg(part.format ORDER BY part.number), ARRAY[]::text[]) AS formats
            FROM ({TypePartsOf(version)}) part) parts
        """;

    // Those that an INSERT … SELECT would use: a cast that has to be asked for may not mean what the caller wants.
    public const string Casts = """
        SELECT c.castsource::int8, t.typname::text
        FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_type t ON t.oid = c.casttarget
        WHERE c.castcontext IN ('i', 'a') AND t.oid < 16384 AND t.typnamespace = 'pg_catalog'::regnamespace
        """;

    private static string TypePartsOf(int version) => version >= 14 ? TypeParts + MultirangeParts : TypeParts;
}
