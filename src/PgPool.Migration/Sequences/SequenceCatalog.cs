namespace PgPool.Migration.Sequences;

/// <summary>Which sequences tables use.</summary>
internal static class SequenceCatalog
{
    private const string Missing = """
        SELECT wanted.schema, wanted.name
        FROM unnest($1::text[], $2::text[]) AS wanted(schema, name)
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = wanted.schema AND c.relname = wanted.name AND c.relkind IN ('r', 'p', 'f'))
        """;

    // Columns own the sequences of serial and identity, by an automatic (a) or internal (i) dependency; a default depends on the one that it names.
    // The leaves of a partitioned table may have defaults of their own, and all their rows are the root's.
    private const string Dependencies = """
        WITH RECURSIVE roots AS (
            SELECT c.oid AS root, n.nspname, c.relname
            FROM unnest($1::text[], $2::text[]) AS wanted(schema, name)
            JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
            JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name AND c.relkind IN ('r', 'p', 'f')),
        relations AS (
            SELECT root, root AS relation FROM roots
            UNION
            SELECT r.root, i.inhrelid
            FROM relations r JOIN pg_catalog.pg_inherits i ON i.inhparent = r.relation
            JOIN pg_catalog.pg_class p ON p.oid = i.inhrelid AND p.relispartition),
        dependencies AS (
            SELECT r.root, r.relation, d.refobjsubid AS attnum, d.objid AS sequence
            FROM relations r JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = r.relation
            WHERE d.refobjsubid > 0 AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
            UNION
            SELECT r.root, r.relation, f.adnum, d.refobjid
            FROM relations r JOIN pg_catalog.pg_attrdef f ON f.adrelid = r.relation
            JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid
            WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)
        """;

    // A text column may be made from a sequence's values in any way, and an oid's or a sum of money's comparison with a number is not certain: only
    // true numbers count.
    private const string Uses = $"""
        {Dependencies}
        SELECT DISTINCT roots.nspname, roots.relname, a.attname, n.nspname, c.relname, s.seqmin, s.seqmax, s.seqincrement > 0,
            pg_catalog.has_schema_privilege(roots.nspname, 'USAGE') AND pg_catalog.has_column_privilege(d.root, a.attname, 'SELECT'),
            pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
                AND pg_catalog.has_sequence_privilege(c.oid, 'UPDATE')
        FROM dependencies d JOIN roots ON roots.root = d.root
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.relation AND a.attnum = d.attnum
        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typcategory = 'N' AND t.typname NOT IN ('money', 'oid')
        JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.sequence
        JOIN pg_catalog.pg_class c ON c.oid = d.sequence
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        """;

    // Beside those of columns of any type, those of the tables' schemas that no column uses: a function, a trigger or the application may. Null: it has
    // given no value, or this role may not know.
    private const string Positions = $"""
        {Dependencies},
        used AS (
            SELECT roots.nspname, roots.relname, a.attname, d.sequence
            FROM dependencies d JOIN roots ON roots.root = d.root
            JOIN pg_catalog.pg_attribute a ON a.attrelid = d.relation AND a.attnum = d.attnum
            UNION
            SELECT NULL, NULL, NULL, c.oid
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'S' AND c.relpersistence = 'p' AND n.nspname IN (SELECT nspname FROM roots)
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i'))
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.oid))
        SELECT used.nspname, used.relname, used.attname, n.nspname, c.relname, s.seqmin, s.seqmax, s.seqincrement > 0,
            CASE WHEN pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
                THEN pg_catalog.pg_sequence_last_value(c.oid) END,
            pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
                AND pg_catalog.has_sequence_privilege(c.oid, 'UPDATE')
        FROM used JOIN pg_catalog.pg_sequence s ON s.seqrelid = used.sequence
        JOIN pg_catalog.pg_class c ON c.oid = used.sequence
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        """;

    /// <summary>Those of the tables that do not exist, or are no tables.</summary>
    public static async Task<List<TableName>> FindMissingAsync(
        ConnectionLease lease, IReadOnlyList<TableName> tables, CancellationToken cancellationToken)
    {
        var command = lease.Command(Missing, Schemas(tables), Names(tables));
        await using (command.ConfigureAwait(false))
        {
            return await command.QueryAsync(row => new TableName(row.GetString(0), row.GetString(1)), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The sequences that the tables' columns use.</summary>
    public static async Task<List<SequenceUse>> FindUsesAsync(
        ConnectionLease lease, IReadOnlyList<TableName> tables, CancellationToken cancellationToken)
    {
        var command = lease.Command(Uses, Schemas(tables), Names(tables));
        await using (command.ConfigureAwait(false))
        {
            return await command.QueryAsync(
                row => new SequenceUse(
                    new(row.GetString(0), row.GetString(1)), row.GetString(2), new(row.GetString(3), row.GetString(4)),
                    row.GetInt64(5), row.GetInt64(6), row.GetBoolean(7), row.GetBoolean(8), row.GetBoolean(9)),
                cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>How far the sequences are that the tables' columns use, or that no column uses and that are in the tables' schemas.</summary>
    public static async Task<List<StandingSequence>> FindPositionsAsync(
        ConnectionLease lease, IReadOnlyList<TableName> tables, CancellationToken cancellationToken)
    {
        var command = lease.Command(Positions, Schemas(tables), Names(tables));
        await using (command.ConfigureAwait(false))
        {
            return await command.QueryAsync(
                row => new StandingSequence(
                    row.IsDBNull(0) ? null : new(row.GetString(0), row.GetString(1)), row.IsDBNull(2) ? null : row.GetString(2),
                    new(row.GetString(3), row.GetString(4)), row.GetInt64(5), row.GetInt64(6), row.GetBoolean(7),
                    row.IsDBNull(8) ? null : row.GetInt64(8), row.GetBoolean(9)),
                cancellationToken).ConfigureAwait(false);
        }
    }

    private static string[] Schemas(IReadOnlyList<TableName> tables) => [.. tables.Select(table => table.Schema)];

    private static string[] Names(IReadOnlyList<TableName> tables) => [.. tables.Select(table => table.Name)];
}
