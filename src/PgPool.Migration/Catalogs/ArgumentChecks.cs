namespace PgPool.Migration.Catalogs;

/// <summary>What is wrong about a caller's tables whatever the databases are like.</summary>
internal static class ArgumentChecks
{
    /// <summary>The tables as a list, in which each is sound and none is read twice.</summary>
    /// <exception cref="ArgumentException">It is not so.</exception>
    public static IReadOnlyList<TableCopy> Check(IEnumerable<TableCopy> tables)
    {
        ArgumentNullException.ThrowIfNull(tables);
        List<TableCopy> list = [.. tables];
        HashSet<TableName> sources = [];
        foreach (var table in list)
        {
            if (table is null)
                throw new ArgumentException("A table is null.", nameof(tables));
            Check(table);
            if (!sources.Add(table.Source))
                throw new ArgumentException($"{table.Source} is named twice: a run reads a table once.", nameof(tables));
        }

        return list;
    }

    /// <inheritdoc cref="Check(IEnumerable{TableCopy})"/>
    public static void Check(TableCopy table)
    {
        ArgumentNullException.ThrowIfNull(table);
        Named(table.Source, nameof(TableCopy.Source));
        Named(table.TargetName, nameof(TableCopy.Target));
        Columns(table);
        if (table.Where is not null && string.IsNullOrWhiteSpace(table.Where))
            throw Bad(nameof(TableCopy.Where), table, "is blank: give an SQL condition, or null for all rows");
        Defined(table, table.PartitionBy, nameof(TableCopy.PartitionBy));
        Defined(table, table.Mode, nameof(TableCopy.Mode));
        Defined(table, table.BadRows, nameof(TableCopy.BadRows));
        if (table is { Mode: TargetMode.Upsert, BadRows: BadRows.Reject })
        {
            throw Bad(nameof(TableCopy.BadRows), table,
                $"is {nameof(BadRows.Reject)} together with {nameof(TargetMode.Upsert)}: an upsert cannot set rows aside; use one or the other");
        }
    }

    private static void Named(TableName? name, string property)
    {
        if (name is null || string.IsNullOrEmpty(name.Schema) || string.IsNullOrEmpty(name.Name))
            throw new ArgumentException($"{nameof(TableCopy)}.{property} needs a schema and a name.", property);
    }

    private static void Columns(TableCopy table)
    {
        if (table.Columns is not { } columns)
            return;
        if (columns.Count == 0)
            throw Bad(nameof(TableCopy.Columns), table, "is empty: name at least one column, or give null for all");
        HashSet<string> names = [];
        foreach (var column in columns)
        {
            if (string.IsNullOrEmpty(column))
                throw Bad(nameof(TableCopy.Columns), table, "has an entry without a name");
            if (!names.Add(column))
                throw Bad(nameof(TableCopy.Columns), table, $"has {Sql.Name(column)} twice");
        }
    }

    private static void Defined<T>(TableCopy table, T value, string property) where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw Bad(property, table, $"is {value}, which is no {typeof(T).Name}");
    }

    private static ArgumentException Bad(string property, TableCopy table, string what) =>
        new($"{nameof(TableCopy)}.{property} of {table.Source} {what}.", property);
}
