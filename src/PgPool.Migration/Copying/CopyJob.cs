using Npgsql;
using PgPool.Migration.Checkpoints;
using PgPool.Migration.Diagnostics;
using PgPool.Migration.Partitions;
using PgPool.Migration.Running;

namespace PgPool.Migration.Copying;

/// <summary>Copies a partition from source to target.</summary>
internal sealed class CopyJob(RunState run, ISliceCopier slices) : IPartitionJob
{
    public async Task<JobResult> RunAsync(
        ConnectionLease? source, ConnectionLease target, Partition partition, string? position, ProgressMeter.Attempt attempt,
        CancellationToken cancellationToken)
    {
        // What the COPY would wait for. Cancelled while it waits, an ordinary command ends on the server too; Npgsql's begin of a COPY does not.
        await target.ExecuteAsync($"LOCK TABLE {partition.Table.Target} IN ROW EXCLUSIVE MODE", cancellationToken).ConfigureAwait(false);

        if (partition.Table.Copy.BadRows == BadRows.Fail)
        {
            var all = await slices.CopyAsync(
                source!, target, partition, partition.Condition, new AttemptObserver(attempt, run.Throttle), cancellationToken).ConfigureAwait(false);
            return new JobResult(new PartitionOutcome(all.Rows, all.Bytes, Rejected: 0));
        }

        // What a bad row may undo goes through again, in parts: it counts when it is through.
        var isolator = new BadRowIsolator(
            slices, run.Snapshot!, slice => attempt.Moved(slice.Bytes, slice.Rows), row => RejectAsync(target, partition, row, cancellationToken));
        var observer = new AttemptObserver(attempt: null, run.Throttle);
        var good = await isolator.RunAsync(source!, target, partition, observer, cancellationToken).ConfigureAwait(false);
        return new JobResult(new PartitionOutcome(good.Rows, good.Bytes, isolator.Refused));
    }

    public async Task<MigrationException> ExplainAsync(
        ConnectionLease? source, ConnectionLease target, Partition partition, Exception refusal, CancellationToken cancellationToken)
    {
        var (row, error) = await FindAsync(source!, target, partition, Failures.Refusal(refusal)!, cancellationToken).ConfigureAwait(false);
        // An upsert cannot set rows aside.
        var cure = partition.Table.Copy.Mode == TargetMode.Upsert
            ? "Correct it, there or in the target's table, then run the same id again."
            : $"Correct it, or let such rows go with {nameof(BadRows)}.{nameof(BadRows.Reject)}, and run the same id again.";
        return new MigrationException(
            $"{partition.Table.Target} refuses row {row} of {partition}: {error.MessageText} ({error.SqlState}"
            + $"{(error.Detail is { } detail ? $", {detail}" : "")}). {cure}", refusal)
        {
            Table = partition.Table.Source,
            Partition = partition.Bounds,
        };
    }

    public bool MaySplit(Partition partition) => !partition.Table.IsIndivisible;

    private async Task<(string Row, PostgresException Refusal)> FindAsync(
        ConnectionLease source, ConnectionLease target, Partition partition, PostgresException refusal, CancellationToken cancellationToken)
    {
        if (slices.LinesAreRows && partition.Table.SourceKey.Count == 0 && RowNames.LineOf(refusal, partition.Table) is { } line)
            return ($"at COPY line {line}", refusal);

        try
        {
            await run.Snapshot!.EnterAsync(source, cancellationToken).ConfigureAwait(false);
            return await FindByHalvesAsync(source, target, partition, cancellationToken).ConfigureAwait(false) is { } found
                ? (found.Name, found.Refusal) : ("(not found again)", refusal);
        }
        catch (Exception e) when (e is NpgsqlException or CopyFailedException or InvalidOperationException)
        {
            // The refusal is what is to be told, with or without the row's name.
            return ($"(not found: {e.Message})", refusal);
        }
    }

    /// <summary>Copies once more, by halves, in a transaction that is rolled back: the row that is found is one that the target refuses by itself.</summary>
    private async Task<BadRow?> FindByHalvesAsync(
        ConnectionLease source, ConnectionLease target, Partition partition, CancellationToken cancellationToken)
    {
        BadRow? found = null;
        var isolator = new BadRowIsolator(slices, run.Snapshot!, static _ => { }, row =>
        {
            found = row;
            throw new RowFoundException();
        });
        var transaction = await target.Connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            try
            {
                await target.ExecuteAsync(SessionSettings.ForWriting(target), cancellationToken).ConfigureAwait(false);
                // Two that copy the same rows at once would wait for each other.
                await run.Store.ClaimAgainAsync(target, partition.Number, cancellationToken).ConfigureAwait(false);
                await isolator.RunAsync(source, target, partition, SilentObserver.Instance, cancellationToken).ConfigureAwait(false);
            }
            catch (RowFoundException)
            {
                // As wanted.
            }
        }

        return found;
    }

    private async Task RejectAsync(ConnectionLease target, Partition partition, BadRow row, CancellationToken cancellationToken)
    {
        MigrationLog.Rejected(run.Log, run.RunId, partition.ToString(), row.Name, row.Refusal.MessageText);
        if (row.Refusal.SqlState == PostgresErrorCodes.UntranslatableCharacter)
            row = row with { Text = InAscii(row.Text) };
        await run.Store.RejectAsync(target, partition, row, cancellationToken).ConfigureAwait(false);
    }

    // A character that the target's encoding lacks cannot be noted there either.
    private static string InAscii(string text) => string.Concat(text.Select(static c => char.IsAscii(c) ? $"{c}" : $"\\u{(int)c:x4}"));

    private sealed class RowFoundException : Exception;
}
