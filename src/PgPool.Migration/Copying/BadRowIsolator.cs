using Npgsql;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;
using PgPool.Migration.Running;

namespace PgPool.Migration.Copying;

/// <summary>
/// Copies all rows of a partition but those that the target refuses: what fails is undone and cut in two, until what fails is a row. All in the
/// target's transaction, by savepoints, so that good rows and what is noted of bad ones arrive together.
/// </summary>
/// <param name="slices">How rows get across.</param>
/// <param name="snapshot">In which they are read.</param>
/// <param name="arrived">Is told of each slice when it can no more be undone by a bad row.</param>
/// <param name="refused">Is told of each row that the target refuses.</param>
internal sealed class BadRowIsolator(ISliceCopier slices, SnapshotGroup snapshot, Action<CopyTotals> arrived, Func<BadRow, Task> refused)
{
    // Below this a partition is cut by its rows' addresses rather than by its bounds: fewer questions to the source.
    private const long SmallBytes = 64 * 1024;

    private CopyTotals _copied;

    /// <summary>Rows that were refused.</summary>
    public long Refused { get; private set; }

    /// <returns>What arrived.</returns>
    public async Task<CopyTotals> RunAsync(
        ConnectionLease source, ConnectionLease target, Partition partition, ICopyObserver observer, CancellationToken cancellationToken)
    {
        // A constraint that is deferred to the COMMIT would tell there, and of no row.
        await target.ExecuteAsync("SET CONSTRAINTS ALL IMMEDIATE", cancellationToken).ConfigureAwait(false);
        await HalveAsync(new Sides(source, target, observer), partition, cancellationToken).ConfigureAwait(false);
        return _copied;
    }

    private async Task HalveAsync(Sides sides, Partition partition, CancellationToken cancellationToken)
    {
        if (await TryCopyAsync(sides, partition, partition.Condition, cancellationToken).ConfigureAwait(false) is null)
            return;
        if (partition.Bytes > SmallBytes
            && await Partitioner.SplitAsync(sides.Source, partition, cancellationToken).ConfigureAwait(false) is var (first, second))
        {
            await HalveAsync(sides, first, cancellationToken).ConfigureAwait(false);
            await HalveAsync(sides, second, cancellationToken).ConfigureAwait(false);
            return;
        }

        var command = sides.Source.Command($"SELECT ctid::text FROM {partition.From} WHERE {partition.Condition}");
        List<string> rows;
        await using (command.ConfigureAwait(false))
            rows = await command.QueryAsync(reader => reader.GetString(0), cancellationToken).ConfigureAwait(false);
        await HalveAsync(sides, partition, rows, cancellationToken).ConfigureAwait(false);
    }

    private async Task HalveAsync(Sides sides, Partition partition, List<string> rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
            return;
        var condition = $"ctid = ANY ('{{{string.Join(',', rows.Select(row => $"\"{row}\""))}}}'::tid[])";
        if (await TryCopyAsync(sides, partition, condition, cancellationToken).ConfigureAwait(false) is not { } refusal)
            return;
        if (rows.Count == 1)
        {
            Refused++;
            await refused(await ReadAsync(sides.Source, partition, condition, refusal, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
            return;
        }

        var half = rows.Count / 2;
        await HalveAsync(sides, partition, rows[..half], cancellationToken).ConfigureAwait(false);
        await HalveAsync(sides, partition, rows[half..], cancellationToken).ConfigureAwait(false);
    }

    /// <returns>The refusal; null where all arrived.</returns>
    private async Task<PostgresException?> TryCopyAsync(Sides sides, Partition partition, string condition, CancellationToken cancellationToken)
    {
        await sides.Target.ExecuteAsync("SAVEPOINT pgpool_slice", cancellationToken).ConfigureAwait(false);
        try
        {
            var totals = await slices.CopyAsync(sides.Source, sides.Target, partition, condition, sides.Observer, cancellationToken).ConfigureAwait(false);
            await sides.Target.ExecuteAsync("RELEASE SAVEPOINT pgpool_slice", cancellationToken).ConfigureAwait(false);
            _copied = new CopyTotals(_copied.Rows + totals.Rows, _copied.Bytes + totals.Bytes);
            arrived(totals);
            return null;
        }
        catch (Exception e) when (Failures.Classify(e) == FailureKind.BadRow && Failures.Refusal(e) is not null)
        {
            await sides.Target.ExecuteAsync("ROLLBACK TO SAVEPOINT pgpool_slice", cancellationToken).ConfigureAwait(false);
            await snapshot.EnterAsync(sides.Source, cancellationToken).ConfigureAwait(false);
            return Failures.Refusal(e);
        }
    }

    private static async Task<BadRow> ReadAsync(
        ConnectionLease source, Partition partition, string condition, PostgresException refusal, CancellationToken cancellationToken)
    {
        var row = RowText(source, partition.Table.Columns);
        var command = source.Command($"SELECT {row}, {Legible(source, RowNames.Of(partition.Table))} FROM {partition.From} WHERE {condition}");
        await using (command.ConfigureAwait(false))
        {
            var rows = await command.QueryAsync(
                reader => new BadRow(reader.GetString(1), reader.GetString(0), refusal), cancellationToken).ConfigureAwait(false);
            return rows[0];
        }
    }

    /// <summary>SQL for a row as it is put aside: its columns as they are, as a cast may be what failed.</summary>
    public static string RowText(ConnectionLease source, IEnumerable<CopyColumn> columns) =>
        Legible(source, $"ROW({Sql.Names(columns.Select(static column => column.Name))})::text");

    // A SQL_ASCII database sends its bytes as they are, and what is no ASCII among them may be what failed: it is shown escaped.
    private static string Legible(ConnectionLease source, string text) =>
        source.Connection.PostgresParameters.GetValueOrDefault("server_encoding") == "SQL_ASCII"
            ? $"pg_catalog.encode(pg_catalog.convert_to({text}, 'SQL_ASCII'), 'escape')" : text;

    private readonly record struct Sides(ConnectionLease Source, ConnectionLease Target, ICopyObserver Observer);
}
