using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Partitions;

/// <summary>Partitions by the first column of the primary key.</summary>
/// <remarks>
/// Bounds come from a sample of the table itself: the planner's statistics may be old or missing, hold too few bounds for a large table, and leave the
/// most common values out. What they are decides only how large partitions are, never which rows are copied.
/// </remarks>
internal static class KeyRanges
{
    // A sample of this many blocks for each partition leaves sizes within about a third of each other, even where the key follows the heap's order.
    private const long BlocksPerPartition = 16;
    private const long LeastBlocks = 300;

    // Types whose text is read back as the same value, and whose operators are found under any search_path. Not money: its text is up to lc_monetary.
    private static readonly string[] Types =
    [
        "bool", "bytea", "name", "int2", "int4", "int8", "oid", "xid8", "text", "varchar", "bpchar", "uuid", "numeric", "float4", "float8", "date",
        "time", "timetz", "timestamp", "timestamptz", "interval", "inet", "cidr", "macaddr", "macaddr8", "bit", "varbit", "pg_lsn",
    ];

    // A bound cast to a domain with a collation of its own, other than the column's, could not be compared.
    private const string Suitable = """
        WITH RECURSIVE base AS (
            SELECT a.attcollation, t.typcollation, t.typtype, t.typname, t.typnamespace, t.typbasetype
            FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND t.typcollation IN (0, 100, a.attcollation)
            UNION ALL
            SELECT base.attcollation, t.typcollation, t.typtype, t.typname, t.typnamespace, t.typbasetype
            FROM base JOIN pg_catalog.pg_type t ON t.oid = base.typbasetype
            WHERE base.typtype = 'd')
        SELECT EXISTS (
            SELECT FROM base
            WHERE (typtype = 'e' AND pg_catalog.has_schema_privilege(typnamespace, 'USAGE')) OR (typtype = 'b' AND typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND typname = ANY ($4)))
        """;

    /// <summary>Whether the relation has a key whose values can be bounds.</summary>
    public static async Task<bool> ArePossibleAsync(ConnectionLease source, Relation relation, CancellationToken cancellationToken)
    {
        if (relation.Key is not { } key)
            return false;
        var command = source.Command(Suitable, relation.Name.Schema, relation.Name.Name, key.Name, Types);
        await using (command.ConfigureAwait(false))
            return await command.ScalarAsync<bool>(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Cuts a relation into at most <paramref name="count"/> ranges of about as many rows.</summary>
    public static async Task<IReadOnlyList<Partition>> CutAsync(
        ConnectionLease source, TablePlan table, Relation relation, long count, CancellationToken cancellationToken)
    {
        var bounds = await BoundsAsync(source, relation, count, cancellationToken).ConfigureAwait(false);
        return Cut(table, relation, count, bounds);
    }

    /// <summary>Cuts a relation at these bounds, each with the number of the <paramref name="count"/> shares that come before it.</summary>
    public static IReadOnlyList<Partition> Cut(
        TablePlan table, Relation relation, long count, IReadOnlyList<(string Bound, long Share)> bounds)
    {
        if (bounds.Count == 0)
            return [new(table, relation, PartitionKind.Whole, null, null, relation.Bytes)];

        List<Partition> partitions = [];
        for (var i = 0; i <= bounds.Count; i++)
        {
            var (lower, from) = i == 0 ? (null, 0) : bounds[i - 1];
            var (upper, to) = i == bounds.Count ? (null, count) : bounds[i];
            partitions.Add(new(table, relation, PartitionKind.Key, lower, upper, Before(to) - Before(from)));
        }

        return partitions;

        long Before(long share) => (long)((Int128)relation.Bytes * share / count);
    }

    /// <summary>The value that halves a partition by key; null where all its rows have one value.</summary>
    public static async Task<string?> MiddleAsync(ConnectionLease source, Partition partition, CancellationToken cancellationToken)
    {
        // Half of the rows may have the first value: then the next one is as near to the middle as can be.
        var key = Sql.Name(partition.Relation.Key!.Name);
        return await source.ScalarAsync<string>($"""
            WITH rows {source.AsMaterialized()} (SELECT {key} AS value FROM {partition.From} WHERE {partition.Condition}),
            first AS (SELECT value FROM rows ORDER BY value LIMIT 1),
            middle AS (SELECT pg_catalog.percentile_disc(0.5) WITHIN GROUP (ORDER BY value) AS value FROM rows)
            SELECT value::text AS bound FROM rows
            WHERE value > (SELECT value FROM first) AND value >= (SELECT value FROM middle)
            ORDER BY value LIMIT 1
            """, cancellationToken).ConfigureAwait(false);
    }

    // Each bound with the number of shares that come before it: a value that fills several shares is the bound of the first, and the others are merged.
    // One that is not above the first key would leave the first partition empty.
    private static async Task<IReadOnlyList<(string Bound, long Share)>> BoundsAsync(
        ConnectionLease source, Relation relation, long count, CancellationToken cancellationToken)
    {
        var key = Sql.Name(relation.Key!.Name);
        var wanted = Math.Max(LeastBlocks, count * BlocksPerPartition);
        var percent = wanted >= relation.Blocks ? 100 : 100.0 * wanted / relation.Blocks;
        var command = source.Command($"""
            WITH sample AS (
                SELECT {key} AS value, pg_catalog.row_number() OVER (ORDER BY {key}) AS number, pg_catalog.count(*) OVER () AS total
                FROM ONLY {relation.Name} TABLESAMPLE SYSTEM ($2) REPEATABLE (1)),
            bounds AS (
                SELECT value, pg_catalog.min(share) AS share
                FROM sample JOIN pg_catalog.generate_series(1, $1 - 1) AS share ON number = (share * total + $1 - 1) / $1
                GROUP BY value)
            SELECT value::text AS bound, share FROM bounds
            WHERE value > (SELECT {key} FROM ONLY {relation.Name} ORDER BY {key} LIMIT 1)
            ORDER BY value
            """, count, percent);
        await using (command.ConfigureAwait(false))
        {
            return await command.QueryAsync(reader => (reader.GetString(0), reader.GetInt64(1)), cancellationToken).ConfigureAwait(false);
        }
    }
}
