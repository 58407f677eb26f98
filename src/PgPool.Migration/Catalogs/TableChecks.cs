namespace PgPool.Migration.Catalogs;

/// <summary>Whether tables are there, are tables, and may be read and written.</summary>
internal sealed class TableChecks(DatabaseCatalog source, DatabaseCatalog target, Problems problems)
{
    private const string Grant = "grant it, or use another role";

    /// <summary>Whether the copy's tables are there at both ends and of a kind that can be copied.</summary>
    public bool Exist(TableCopy copy, CatalogTable? from, CatalogTable? to, bool writes)
    {
        if (from is null)
            Missing(source, "source", copy.Source, "correct the name: it is case-sensitive where it was quoted when the table was made");
        else if (from.Kind is not ('r' or 'p'))
            problems.Add(copy.Source, $"it is {from.KindName}", "copy the tables that its rows come from, or leave it out");
        if (to is null)
            Missing(target, "target", copy.TargetName, $"create it there first, or set {nameof(TableCopy.Target)}");
        else if (to.Kind is not ('r' or 'p' or 'f'))
            problems.Add(copy.Source, $"the target {to.Name} is {to.KindName}", "copy into a table");
        if (from is not { Kind: 'r' or 'p' } || to is not { Kind: 'r' or 'p' or 'f' })
            return false;

        if (writes && source.Facts.IsSameDatabase(target.Facts) && source.MembersOf(from).Intersect(target.MembersOf(to)).Any())
        {
            problems.Add(copy.Source, from.Oid == to.Oid ? "the run would copy the table into itself" : $"the run would copy it into itself, as {to.Name} shares rows",
                $"source and target are one database: set {nameof(TableCopy.Target)} to another table, or use another target pool");
        }

        return true;

        void Missing(DatabaseCatalog catalog, string side, TableName name, string cure) => problems.Add(
            copy.Source,
            catalog.MissingSchemas.Contains(name.Schema)
                ? $"the {side} {catalog.Facts.Database} has no schema {Sql.Name(name.Schema)}" + (name == copy.Source ? "" : $" for {name}")
                : $"the {side} {catalog.Facts.Database} has no table {name}",
            cure);
    }

    /// <summary>A partitioned table stands for its partitions: with one of them, rows would go twice.</summary>
    public void Overlap(IReadOnlyList<TableCopy> copies)
    {
        var named = copies.Zip(source.Tables).Where(static pair => pair.Second is not null).ToLookup(static pair => pair.Second!.Oid, static pair => pair.First);
        foreach (var root in source.Tables.Where(static table => table is { IsPartitioned: true }))
        {
            foreach (var part in source.Members[root!.Oid].Where(oid => oid != root.Oid).SelectMany(oid => named[oid]))
                problems.Add(part.Source, $"it is a partition of {root.Name}, which is in the run too", "name one of them");
        }
    }

    public void Readable(TableCopy copy, CatalogTable from, IReadOnlyList<CopyColumn> columns)
    {
        foreach (var relation in source.RelationsOf(from))
            Readable(source.Facts, "source", copy, relation, [.. columns.Select(static column => column.Name), .. relation.Key]);
    }

    public void Comparable(TableCopy copy, CatalogTable to, IReadOnlyList<CopyColumn> columns)
    {
        foreach (var relation in target.RelationsOf(to))
            Readable(target.Facts, "target", copy, relation, [.. columns.Select(static column => column.Name)]);
    }

    public void Writable(TableCopy copy, CatalogTable to, IReadOnlyList<CopyColumn> columns)
    {
        var names = columns.Select(static column => column.Name).ToHashSet();
        Schema(target.Facts, "target", copy, to);
        Lacking("INSERT", column => names.Contains(column.Name) && !column.MayInsert);
        if (copy.Mode == TargetMode.Truncate && !to.MayTruncate)
            problems.Add(copy.Source, $"role {Sql.Name(target.Facts.Role)} has no TRUNCATE privilege on the target {to.Name}", Grant);
        if (to.HasRowSecurity)
            RowSecurity(target.Facts, "target", copy, to, "COPY FROM does not go with it");
        if (copy.Mode != TargetMode.Upsert)
            return;

        Lacking("SELECT", column => names.Contains(column.Name) && !column.MaySelect);
        Lacking("UPDATE", column => names.Contains(column.Name) && !to.Key.Contains(column.Name) && !column.MayUpdate);
        UpsertKey(copy, to, names);

        void Lacking(string privilege, Func<CatalogColumn, bool> lacks)
        {
            if (to.Columns.Where(lacks).Select(static column => column.Name).ToList() is { Count: > 0 } lacking)
            {
                problems.Add(copy.Source,
                    $"role {Sql.Name(target.Facts.Role)} has no {privilege} privilege on the target {to.Name} ({Sql.Names(lacking)})", Grant);
            }
        }
    }

    private void UpsertKey(TableCopy copy, CatalogTable to, HashSet<string> names)
    {
        if (to.Key.Count == 0)
            problems.Add(copy.Source, $"the target {to.Name} has no primary key to upsert by", $"add one, or use another {nameof(TargetMode)}");
        else if (!to.IsKeyImmediate)
            problems.Add(copy.Source, $"the primary key of the target {to.Name} is DEFERRABLE: ON CONFLICT cannot go by it", "make it NOT DEFERRABLE");
        if (to.Key.Where(key => !names.Contains(key)).ToList() is { Count: > 0 } missing)
            problems.Add(copy.Source, $"the primary key of the target {to.Name} has columns that are not copied ({Sql.Names(missing)})", "copy them too");
        foreach (var column in to.Columns.Where(column => column.IsIdentityAlways && names.Contains(column.Name) && !to.Key.Contains(column.Name)))
        {
            problems.Add(copy.Source, $"the column {Sql.Name(column.Name)} of the target {to.Name} is GENERATED ALWAYS AS IDENTITY and cannot be updated",
                "leave it out, or make it GENERATED BY DEFAULT");
        }
    }

    private void Readable(ServerFacts facts, string side, TableCopy copy, CatalogTable relation, HashSet<string> names)
    {
        Schema(facts, side, copy, relation);
        if (relation.Columns.Where(column => names.Contains(column.Name) && !column.MaySelect).Select(static column => column.Name).ToList() is { Count: > 0 } lacking)
            problems.Add(copy.Source, $"role {Sql.Name(facts.Role)} has no SELECT privilege on the {side} {relation.Name} ({Sql.Names(lacking)})", Grant);
        if (relation.HasRowSecurity)
            RowSecurity(facts, side, copy, relation, "rows would be missing");
    }

    private void Schema(ServerFacts facts, string side, TableCopy copy, CatalogTable relation)
    {
        if (!relation.MayUseSchema)
            problems.Add(copy.Source, $"role {Sql.Name(facts.Role)} has no USAGE privilege on the {side}'s schema {Sql.Name(relation.Name.Schema)}", Grant);
    }

    private void RowSecurity(ServerFacts facts, string side, TableCopy copy, CatalogTable relation, string why) => problems.Add(
        copy.Source, $"row security applies to role {Sql.Name(facts.Role)} on the {side} {relation.Name}: {why}", "use a role with BYPASSRLS or, where row security is not forced, the owner");
}
