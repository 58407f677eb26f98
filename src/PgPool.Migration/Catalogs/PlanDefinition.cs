using System.Text;

namespace PgPool.Migration.Catalogs;

/// <summary>What makes a table's plan the same plan later, as texts that can be stored and compared. Nothing in it that grows with the rows.</summary>
internal static class PlanDefinition
{
    public static IReadOnlyDictionary<string, string> Of(
        TableCopy copy, CatalogTable from, IEnumerable<TableName> leaves, CatalogTable to, IReadOnlyList<CopyColumn> columns,
        IReadOnlyList<CopyColumn>? written)
    {
        var names = columns.Select(static column => column.Name).ToList();
        var writtenNames = written?.Select(static column => column.Name).ToList() ?? names;
        return new Dictionary<string, string>
        {
            ["source"] = copy.Source.ToString(),
            ["target"] = copy.TargetName.ToString(),
            ["columns"] = Sql.Names(names),
            ["target columns"] = Sql.Names(writtenNames),
            ["where"] = copy.Where ?? "",
            ["partition by"] = copy.PartitionBy.ToString(),
            ["mode"] = copy.Mode.ToString(),
            ["bad rows"] = copy.BadRows.ToString(),
            ["source partitions"] = from.IsPartitioned ? string.Join(", ", leaves.Select(static leaf => $"{leaf}").Order(StringComparer.Ordinal)) : "",
            ["source schema"] = Schema(from, names),
            ["target schema"] = Schema(to, writtenNames),
        };
    }

    private static string Schema(CatalogTable table, IEnumerable<string> columns)
    {
        var text = new StringBuilder();
        foreach (var column in columns.Select(name => table.Column(name)!))
            text.Append(Sql.Name(column.Name)).Append(' ').Append(column.FormattedType).Append(column.IsNotNull ? " NOT NULL, " : ", ");
        return text.Append("PRIMARY KEY (").Append(Sql.Names(table.Key)).Append(')').ToString();
    }
}
