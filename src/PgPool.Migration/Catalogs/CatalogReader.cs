using Npgsql;

namespace PgPool.Migration.Catalogs;

/// <summary>Reads the catalogs of one side, within the lease's transaction.</summary>
internal sealed class CatalogReader(ConnectionLease lease, CancellationToken cancellationToken)
{
    private readonly int _version = lease.Connection.PostgreSqlVersion.Major;

    /// <param name="names">The tables.</param>
    /// <param name="sizes">Rows are read here: how many bytes of them there are matters.</param>
    /// <param name="casts">What their types can be assigned to matters.</param>
    public async Task<DatabaseCatalog> ReadAsync(IReadOnlyList<TableName> names, bool sizes, bool casts)
    {
        // With an empty search_path every name but a core type's comes out qualified; the savepoint puts back what the session had.
        await lease.ExecuteAsync("SAVEPOINT pgpool_catalog; SET LOCAL search_path = ''", cancellationToken).ConfigureAwait(false);
        var facts = (await QueryAsync(CatalogQueries.Facts, ReadFacts).ConfigureAwait(false))[0];
        var found = await QueryAsync(
            CatalogQueries.Names, static row => (HasSchema: row.GetBoolean(0), Oid: row.GetInt64(1)),
            names.Select(static name => name.Schema).ToArray(), names.Select(static name => name.Name).ToArray()).ConfigureAwait(false);
        var named = found.Select(static table => table.Oid).Where(static oid => oid != 0).Distinct().ToArray();
        var members = await QueryAsync(
            CatalogQueries.Members(_version), static row => (Root: row.GetInt64(0), Oid: row.GetInt64(1)), named).ConfigureAwait(false);
        var list = await ReadTablesAsync([.. named.Union(members.Select(static member => member.Oid))], sizes).ConfigureAwait(false);
        var tables = list.ToDictionary(static table => table.Oid);
        var oids = list.Select(static table => table.Oid).ToArray();
        var roots = members.ToLookup(static member => member.Oid, static member => member.Root);
        var types = await QueryAsync(CatalogQueries.Types(_version), ReadType, oids).ConfigureAwait(false);
        var assignable = casts
            ? await QueryAsync(CatalogQueries.Casts, static row => (row.GetInt64(0), row.GetString(1))).ConfigureAwait(false)
            : [];
        await lease.ExecuteAsync("ROLLBACK TO pgpool_catalog", cancellationToken).ConfigureAwait(false);

        return new DatabaseCatalog
        {
            Facts = facts,
            Tables = [.. found.Select(table => tables.GetValueOrDefault(table.Oid))],
            MissingSchemas = names.Zip(found).Where(static pair => !pair.Second.HasSchema).Select(static pair => pair.First.Schema).ToHashSet(),
            Members = members.ToLookup(static member => member.Root, static member => member.Oid),

            // In the order of their names: what is made of them is the same each time.
            Leaves = list.Where(static table => !table.IsPartitioned).SelectMany(table => roots[table.Oid].Select(root => (Root: root, Table: table)))
                .ToLookup(static leaf => leaf.Root, static leaf => leaf.Table),
            Types = types.ToDictionary(static type => type.Oid),
            Casts = assignable.ToHashSet(),
        };
    }

    private async Task<List<CatalogTable>> ReadTablesAsync(long[] oids, bool sizes)
    {
        var list = await QueryAsync(CatalogQueries.Relations(_version), ReadTable, oids, sizes).ConfigureAwait(false);
        var tables = list.ToDictionary(static table => table.Oid);
        var columns = await QueryAsync(
            CatalogQueries.Columns(_version), static row => (Table: row.GetInt64(0), Column: ReadColumn(row)), oids).ConfigureAwait(false);
        foreach (var (table, column) in columns)
            tables[table].Columns.Add(column);
        var keys = await QueryAsync(
            CatalogQueries.Keys(_version),
            static row => (Table: row.GetInt64(0), Column: row.GetString(1), IsImmediate: row.GetBoolean(2), IsOrdered: row.GetBoolean(3)),
            oids).ConfigureAwait(false);
        foreach (var (table, column, isImmediate, isOrdered) in keys)
        {
            tables[table].Key.Add(column);
            tables[table].IsKeyImmediate = isImmediate;
            tables[table].IsKeyOrdered = isOrdered;
        }

        return list;
    }

    private async Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> read, params object?[] parameters)
    {
        var command = lease.Command(sql, parameters);
        await using (command.ConfigureAwait(false))
            return await command.QueryAsync(read, cancellationToken).ConfigureAwait(false);
    }

    private ServerFacts ReadFacts(NpgsqlDataReader row) => new()
    {
        Version = _version,
        Role = row.GetString(0),
        Database = row.GetString(1),
        DatabaseOid = row.GetInt64(2),
        Encoding = row.GetString(3),
        Server = row.GetString(4),
        IsReadOnly = row.GetBoolean(5),
        TimeZone = row.GetString(6),
        MoneyLocale = row.GetString(7),
        MoneyUnit = row.GetInt64(8),
    };

    private static CatalogTable ReadTable(NpgsqlDataReader row) => new()
    {
        Oid = row.GetInt64(0),
        Name = new TableName(row.GetString(1), row.GetString(2)),
        Kind = row.GetString(3)[0],
        Bytes = row.GetInt64(4),
        Blocks = row.GetInt64(5),
        MayUseSchema = row.GetBoolean(6),
        MayTruncate = row.GetBoolean(7),
        HasRowSecurity = row.GetBoolean(8),
    };

    private static CatalogColumn ReadColumn(NpgsqlDataReader row) => new()
    {
        Name = row.GetString(1),
        Type = row.GetInt64(2),
        FormattedType = row.GetString(3),
        IsNotNull = row.GetBoolean(4),
        IsGenerated = row.GetBoolean(5),
        IsIdentityAlways = row.GetBoolean(6),
        HasDefault = row.GetBoolean(7),
        MaySelect = row.GetBoolean(8),
        MayInsert = row.GetBoolean(9),
        MayUpdate = row.GetBoolean(10),
    };

    private static CatalogType ReadType(NpgsqlDataReader row) => new()
    {
        Oid = row.GetInt64(0),
        Schema = row.GetString(1),
        Name = row.GetString(2),
        Formatted = row.GetString(3),
        Kind = row.GetString(4) switch
        {
            "d" => TypeKind.Domain,
            "e" => TypeKind.Enum,
            "r" => TypeKind.Range,
            "m" => TypeKind.Multirange,
            "c" => TypeKind.Composite,
            _ => row.GetBoolean(5) ? TypeKind.Array : TypeKind.Base,
        },
        IsCore = row.GetBoolean(6),
        IsString = row.GetBoolean(7),
        HasBinary = row.GetBoolean(8),
        IsNotNull = row.GetBoolean(9),
        HasDefault = row.GetBoolean(10),
        Parts = row.GetFieldValue<long[]>(11),
        PartNames = row.GetFieldValue<string[]>(12),
        PartFormats = row.GetFieldValue<string[]>(13),
        Labels = row.GetFieldValue<string[]>(14),
        Extension = row.IsDBNull(15) ? null : row.GetString(15),
    };
}
