using System.Numerics;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Verifying;

/// <summary>Has a server count rows and add up their hashes.</summary>
internal sealed class RowChecksum(VerificationMode mode, TextTraits traits)
{
    /// <summary>Without hashes.</summary>
    public RowChecksum Counting => new(VerificationMode.Rows, traits);

    /// <param name="lease">In the side's snapshot.</param>
    /// <param name="part">Which rows.</param>
    /// <param name="isSource">Whose columns.</param>
    /// <param name="only">A condition more, on the rows' addresses; null: all of the part.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<TableSum> SumAsync(ConnectionLease lease, Partition part, bool isSource, string? only, CancellationToken cancellationToken)
    {
        await lease.ExecuteAsync(Settings(part.Table), cancellationToken).ConfigureAwait(false);
        var command = lease.Command($"SELECT count(*), {Hashes(part.Table, isSource)} FROM {part.From} WHERE {(only is null ? "" : $"{only} AND ")}{part.Condition}");
        await using (command.ConfigureAwait(false))
        {
            return (await command.QueryAsync(
                static row => new TableSum(row.GetInt64(0), row.GetFieldValue<BigInteger>(1)), cancellationToken).ConfigureAwait(false))[0];
        }
    }

    // With those that all transactions of a run have, and those by which the table was copied: what the text of a value depends on
    // besides the value. A zone may have other rules on the other server, so where nothing needs one, one is taken that has none.
    private string Settings(TablePlan table) => $"""
        {table.Settings.ForReading}
        SET LOCAL TimeZone = {Sql.Literal(table.Settings.TimeZone ?? (table.Copy.Where is null ? "UTC" : traits.TimeZone))};
        SET LOCAL DateStyle = {Sql.Literal(traits.DateStyle)};
        SET LOCAL quote_all_identifiers = off
        """;

    private string Hashes(TablePlan table, bool isSource)
    {
        if (mode == VerificationMode.Rows)
            return "0::numeric";

        // The text of a row tells NULL from empty, and where a value ends. In an order that two tables with the same columns share.
        var values = table.Columns.OrderBy(static column => column.Name, StringComparer.Ordinal)
            .Select(column => isSource ? column.Compared!.Value.Source : column.Compared!.Value.Target);
        var row = $"ROW({string.Join(", ", values)})::text";
        var hash = (traits.HashAlike, traits.EncodeAlike) switch
        {
            (true, true) => ServerDialect.FastHash(row),

            // Less than half as fast, but a standard. The first 64 of its bits.
            (_, true) => ServerDialect.StandardHash(row),
            _ => ServerDialect.StandardHash($"pg_catalog.convert_to({row}, 'UTF8')"),
        };
        return $"coalesce(pg_catalog.sum({hash}), 0)";
    }
}
