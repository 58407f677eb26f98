using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Copying;

/// <summary>How a row is named to people: by its key where it has one.</summary>
internal static class RowNames
{
    /// <summary>SQL for a row's name: "id = 5, line = 2", or, without a key, where it lies.</summary>
    public static string Of(TablePlan table) => table.SourceKey.Count == 0
        ? "'ctid ' || ctid"
        : string.Join(" || ', ' || ", table.SourceKey.Select(column => $"{Sql.Literal($"{column} = ")} || {Sql.Name(column)}::text"));

    /// <summary>The line of the COPY at which the target refused a row, if its error tells.</summary>
    /// <remarks>A second query cannot be asked for the row by it: nothing makes its rows come in the order in which the COPY's came.</remarks>
    public static long? LineOf(PostgresException refusal, TablePlan table)
    {
        // "COPY orders, line 5, column total": in the language of the server's messages, so that only the number after the name can be relied on.
        var name = $"{Regex.Escape(table.Target.Name)}|{CopyDestination.StageName}";
        return Regex.Match(refusal.Where ?? "", $@"COPY (?:{name}), \S+ (\d+)") is { Success: true } match
            ? long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
            : null;
    }
}
