using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Copying;

/// <summary>How a row is named to people: by its key where it has one.</summary>
internal static class RowNames
{
    /// <summary>SQL for a row's name: "id = 5, line = 2", or, without a key, where it lies.</summary>
    public static string Of(TablePlan table) => table.SourceKey.Count == 0
        ? "'ctid ' || ctid"
        : string.Join(" || ', ' || ", table.SourceKey.Select(column => $"{Sql.Literal($"{column} = ")} || {Sql.Name(column)}::text"));

    /// <summary>The row at which a COPY failed, if the error tells the line.</summary>
    /// <param name="source">Within the snapshot: its rows come in the order in which they came before.</param>
    /// <param name="partition">What was copied.</param>
    /// <param name="refusal">The target's error.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null where the error does not tell.</returns>
    public static async Task<string?> FindAsync(
        ConnectionLease source, Partition partition, PostgresException refusal, CancellationToken cancellationToken)
    {
        if (LineOf(refusal, partition.Table) is not { } line)
            return null;
        if (partition.Table.SourceKey.Count == 0)
            return $"at COPY line {line}";

        // The same columns, and all rows, so that the server takes the same way to them: with its key alone, or a limit, it may take an index's.
        var columns = string.Concat(partition.Table.Columns.Select(column => $", {column.Read}"));
        var name = await source.ScalarAsync<string>(
            $"""
            WITH copied (name) {source.AsMaterialized()} (
                SELECT {Of(partition.Table)}{columns} FROM {partition.From} WHERE {partition.Condition})
            SELECT copied.name FROM copied OFFSET {line - 1} LIMIT 1
            """,
            cancellationToken).ConfigureAwait(false);
        return $"{name} (COPY line {line})";
    }

    // "COPY orders, line 5, column total": in the language of the server's messages, so that only the number after the name can be relied on.
    private static long? LineOf(PostgresException refusal, TablePlan table)
    {
        var name = $"{Regex.Escape(table.Target.Name)}|{CopyDestination.StageName}";
        return Regex.Match(refusal.Where ?? "", $@"COPY (?:{name}), \S+ (\d+)") is { Success: true } match
            ? long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
            : null;
    }
}
