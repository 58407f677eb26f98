namespace PgPool.Migration.Catalogs;

/// <summary>The foreign keys around the run's target tables: what has to be filled before what, and what stands in the way of a TRUNCATE.</summary>
internal sealed class ForeignKeyOrder
{
    private readonly List<Key> _keys;
    private readonly Dictionary<long, CatalogTable> _rootOf = [];

    public ForeignKeyOrder(List<Key> keys, DatabaseCatalog target)
    {
        _keys = keys;
        var named = target.Tables.OfType<CatalogTable>().ToList();

        // What a table's partitions refer to, the table refers to. One that is named itself speaks for itself.
        foreach (var table in named)
        {
            foreach (var member in target.MembersOf(table))
                _rootOf[member] = table;
        }

        foreach (var table in named)
            _rootOf[table.Oid] = table;
    }

    public static async Task<ForeignKeyOrder> ReadAsync(ConnectionLease target, DatabaseCatalog catalog, CancellationToken cancellationToken)
    {
        var members = catalog.Tables.OfType<CatalogTable>().SelectMany(catalog.MembersOf).Distinct().ToArray();
        var command = target.Command(KeysQuery(catalog.Facts.Version), members);
        await using (command.ConfigureAwait(false))
        {
            var keys = await command.QueryAsync(
                static row => new Key(row.GetInt64(0), row.GetInt64(1), new TableName(row.GetString(2), row.GetString(3)), row.GetString(4),
                    row.GetBoolean(5), row.GetBoolean(6), row.GetBoolean(7)),
                cancellationToken).ConfigureAwait(false);
            return new ForeignKeyOrder(keys, catalog);
        }
    }

    /// <summary>TRUNCATE refuses a table that others refer to, unless they are emptied in the same statement.</summary>
    public void CheckTruncate(IReadOnlyList<TableCopy> copies, DatabaseCatalog target, Problems problems)
    {
        var emptied = copies.Zip(target.Tables).Where(static pair => pair.First.Mode == TargetMode.Truncate && pair.Second is not null)
            .SelectMany(pair => target.MembersOf(pair.Second!).Select(oid => (Oid: oid, Copy: pair.First)))
            .ToLookup(static pair => pair.Oid, static pair => pair.Copy);

        // Every partition that refers, or is referred to, has a copy of its table's key: one of them is enough to tell.
        foreach (var group in _keys.Where(key => emptied.Contains(key.To) && !emptied.Contains(key.From) && !(key.IsPartition && key.IsCopy))
            .GroupBy(key => (Copy: emptied[key.To].First(), key.FromName)))
        {
            var (copy, from) = group.Key;
            var names = Sql.Names(group.Where(key => !key.IsCopy || group.All(static other => other.IsCopy)).Select(static key => key.Constraint));
            problems.Add(copy.Source, $"the target {copy.TargetName} cannot be truncated, as {from} refers to it by the foreign key {names}",
                $"copy {from} in this run with {nameof(TargetMode.Truncate)} too, or drop the foreign key for the time being");
        }
    }

    /// <summary>By the oid of a target: its wave, and whether it refers to itself.</summary>
    public IReadOnlyDictionary<long, (int Wave, bool IsIndivisible)> Waves(Problems problems)
    {
        var references = _keys.Where(key => key.IsChecked && _rootOf.ContainsKey(key.From) && _rootOf.ContainsKey(key.To))
            .ToLookup(key => _rootOf[key.From].Oid, key => _rootOf[key.To].Oid);
        var left = _rootOf.Values.Distinct().ToDictionary(static table => table.Oid);
        Dictionary<long, (int, bool)> waves = [];
        for (var wave = 0; left.Count > 0; wave++)
        {
            var ready = left.Keys.Where(oid => References(oid).All(other => !left.ContainsKey(other))).ToList();
            if (ready.Count == 0)
            {
                Circle(left, References, problems);
                break;
            }

            foreach (var oid in ready)
            {
                waves[oid] = (wave, references[oid].Contains(oid));
                left.Remove(oid);
            }
        }

        return waves;

        IEnumerable<long> References(long oid) => references[oid].Where(other => other != oid);
    }

    private static void Circle(Dictionary<long, CatalogTable> left, Func<long, IEnumerable<long>> references, Problems problems)
    {
        // Those that nobody left refers to only wait for the circle.
        while (true)
        {
            var referred = left.Keys.SelectMany(references).ToHashSet();
            var outside = left.Keys.Where(oid => !referred.Contains(oid)).ToList();
            if (outside.Count == 0)
                break;
            outside.ForEach(oid => left.Remove(oid));
        }

        var names = left.Values.Select(static table => table.Name.ToString()).Order(StringComparer.Ordinal);
        problems.Add($"the target's foreign keys form a circle among {string.Join(", ", names)}",
            $"set {nameof(MigrationOptions)}.{nameof(MigrationOptions.DisableTriggers)}, which takes a role that may SET session_replication_role, or drop "
            + "one of the keys and add it again afterwards");
    }

    // A key whose triggers are disabled, as by ALTER TABLE … DISABLE TRIGGER ALL, is not checked and makes nobody wait.
    private static string KeysQuery(int version) => $"""
        SELECT k.conrelid::int8, k.confrelid::int8, n.nspname::text, c.relname::text, k.conname::text, c.relispartition,
               {(version >= 11 ? "k.conparentid <> 0" : "false")},
               EXISTS (SELECT FROM pg_catalog.pg_trigger t
                       WHERE t.tgconstraint = k.oid AND t.tgrelid = k.conrelid AND t.tgenabled IN ('O', 'A'))
        FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype = 'f' AND k.confrelid = ANY ($1::oid[])
        ORDER BY n.nspname, c.relname, k.conname
        """;

    public sealed record Key(long From, long To, TableName FromName, string Constraint, bool IsPartition, bool IsCopy, bool IsChecked);
}
