using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Copying;

/// <summary>Copies rows as they are, by COPY on both sides.</summary>
internal sealed class TableCopier : ISliceCopier
{
    // A server gathers 8 KiB before it sends anything, even that a COPY has begun. A notice it sends at once, and what it has gathered with it: so
    // that the COPY begins, and can be cancelled, however long its first rows take. This one says that an empty query has no lexemes; no number of
    // nodes is no limit.
    private const string Begins = "LIMIT nullif(pg_catalog.numnode(pg_catalog.left(current_user, 0)::pg_catalog.tsquery), 0)";

    public bool LinesAreRows => true;

    public async Task<CopyTotals> CopyAsync(
        ConnectionLease source, ConnectionLease target, Partition partition, string condition, ICopyObserver observer, CancellationToken cancellationToken)
    {
        var table = partition.Table;
        var reads = string.Join(", ", table.Columns.Select(column => column.Read));
        var format = table.Format == CopyFormat.Binary ? "BINARY" : "TEXT";
        var from = $"SELECT {reads} FROM {partition.From} WHERE";

        if (table.Settings.ForReading is { Length: > 0 } reading)
            await source.ExecuteAsync(reading, cancellationToken).ConfigureAwait(false);
        if (table.Settings.ForWriting is { Length: > 0 } writing)
            await target.ExecuteAsync(writing, cancellationToken).ConfigureAwait(false);

        // Takes the locks that the COPY would wait for: cancelled while it waits, an ordinary command ends on the server too, and none but the
        // server's own timeout ends its wait; of the begin of a COPY, neither is true.
        await source.ExecuteAsync($"EXPLAIN {from} {condition}", cancellationToken).ConfigureAwait(false);
        var destination = new CopyDestination(table, target);
        await destination.BeginAsync(cancellationToken).ConfigureAwait(false);
        var totals = await CopyRelay.RunAsync(
            source.Connection, $"COPY ({from} {condition} {Begins}) TO STDOUT (FORMAT {format})",
            target.Connection, destination.CopyFrom(format),
            table.Format, observer, cancellationToken).ConfigureAwait(false);
        await destination.EndAsync(cancellationToken).ConfigureAwait(false);
        return totals;
    }
}
