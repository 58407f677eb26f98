using PgPool;

namespace CopyDatabase;

/// <summary>What tables a database has, and whether one database's rows fit into another's tables.</summary>
internal static class Catalog
{
    // An empty search_path has every name come out qualified. What extensions own is theirs to fill. Partitions are tables as any other.
    private const string TablesQuery = """
        SET LOCAL search_path = '';
        SELECT format('%I.%I', n.nspname, c.relname),
               pg_table_size(c.oid),
               pg_relation_size(c.oid) / current_setting('block_size')::bigint,
               a.names, a.types, a.generated,
               ARRAY(SELECT confrelid::regclass::text FROM pg_constraint WHERE conrelid = c.oid AND contype = 'f')
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN LATERAL (
            SELECT array_agg(quote_ident(attname) ORDER BY attnum) AS names,
                   array_agg(format_type(atttypid, atttypmod) ORDER BY attnum) AS types,
                   array_agg(attgenerated <> '' ORDER BY attnum) AS generated
            FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) a ON a.names IS NOT NULL
        WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY 2 DESC, 1
        """;

    /// <summary>The tables, the largest first: a large one begun last would end alone.</summary>
    /// <remarks>Within the lease's transaction.</remarks>
    public static async Task<IReadOnlyList<Table>> ReadTablesAsync(ConnectionLease lease, CancellationToken cancellationToken)
    {
        // Ranges of ctids are read by scanning the whole table each time, and arrays of user types are refused by binary COPY, before 14.
        if (lease.Connection.PostgreSqlVersion.Major < 14)
            throw new CopyException($"PostgreSQL 14 is the least: {lease.Connection.Host} runs {lease.Connection.PostgreSqlVersion}.");

        var tables = new List<Table>();
        await using var command = lease.CreateCommand(TablesQuery);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var names = reader.GetFieldValue<string[]>(3);
            var types = reader.GetFieldValue<string[]>(4);
            var generated = reader.GetFieldValue<bool[]>(5);
            tables.Add(new Table(
                reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2),
                [.. names.Select((name, i) => new Column(name, types[i], generated[i]))],
                reader.GetFieldValue<string[]>(6)));
        }

        return tables;
    }

    /// <summary>Refuses tables and columns that the target lacks or has with another type.</summary>
    /// <remarks>Values of a binary COPY carry no type: a bigint is taken for a timestamp without an error.</remarks>
    public static void CheckFit(IReadOnlyList<Table> source, IReadOnlyDictionary<string, Table> target)
    {
        List<string> problems = [];
        foreach (var table in source)
        {
            if (!target.TryGetValue(table.Name, out var twin))
            {
                problems.Add($"table {table.Name} is missing");
                continue;
            }

            foreach (var column in table.Columns)
            {
                var other = twin.Columns.FirstOrDefault(other => other.Name == column.Name);
                if (other is null)
                    problems.Add($"column {table.Name}.{column.Name} is missing");
                else if (other.Type != column.Type)
                    problems.Add($"column {table.Name}.{column.Name} is {other.Type} instead of {column.Type}");
            }
        }

        if (problems.Count > 0)
            throw new CopyException($"The target does not fit the source: {string.Join("; ", problems)}.");
    }

    public static async Task CheckEmptyAsync(ConnectionLease lease, IEnumerable<Table> tables, CancellationToken cancellationToken)
    {
        List<string> full = [];
        foreach (var table in tables)
        {
            if (await lease.QueryScalarAsync<bool>($"SELECT EXISTS (SELECT FROM {table.Name})", cancellationToken))
                full.Add(table.Name);
        }

        if (full.Count > 0)
            throw new CopyException($"The target has rows in {string.Join(", ", full)}: empty it, or have it emptied with --truncate.");
    }
}
