using System.Diagnostics;
using PgPool;

namespace CopyDatabase;

/// <summary>Copies a snapshot's tables into the target, part by part, each in a transaction and on one connection of each pool.</summary>
internal sealed class DatabaseCopier(ConnectionPool source, ConnectionPool target, SourceSnapshot snapshot, TargetDatabase plan)
{
    // Parts come and go in seconds. A worker that gets no connection for minutes has met a server that is full or gone.
    private static readonly TimeSpan RentTimeout = TimeSpan.FromMinutes(5);

    private long _longestWait;

    /// <summary>How long a worker waited for a connection to the source, at most.</summary>
    public TimeSpan LongestWait => TimeSpan.FromTicks(Interlocked.Read(ref _longestWait));

    public async Task CopyAsync(int workers, CancellationToken cancellationToken)
    {
        // Each worker keeps its connection to the target, and rents one to the source for each part: always in this order, so that two
        // copies in one process could not wait for each other.
        foreach (var wave in plan.Waves)
            await target.ForEachAsync(wave, workers, CopyPartAsync, cancellationToken);
    }

    private async ValueTask CopyPartAsync(ConnectionLease writer, Part part, CancellationToken cancellationToken)
    {
        part.Table.Progress.PartStarted();
        await using var reader = await RentReaderAsync(part, cancellationToken);
        await using var reading = await snapshot.BeginAsync(reader, cancellationToken);
        await using var writing = await writer.Connection.BeginTransactionAsync(cancellationToken);

        // The lock is what the COPY would take. Waiting for it in an ordinary command can be cancelled; cancelled in Npgsql's begin of a
        // COPY, it leaves the server's process waiting on.
        var table = part.Table.Name;
        await writer.ExecuteAsync($"{plan.SessionSettings}; LOCK TABLE ONLY {table} IN ROW EXCLUSIVE MODE", cancellationToken);

        // The columns are named on both sides: their order may differ.
        var columns = plan.WritableColumns(part.Table);
        await CopyRelay.RunAsync(
            reader.Connection, $"COPY (SELECT {columns} FROM ONLY {table} WHERE {part.Condition}) TO STDOUT (FORMAT BINARY)",
            writer.Connection, $"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)",
            part.Table.Progress.Moved, cancellationToken);
        await writing.CommitAsync(cancellationToken);
        part.Table.Progress.PartDone(part.Count);
    }

    private async Task<ConnectionLease> RentReaderAsync(Part part, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var lease = await source.RentAsync(new() { Label = $"copy {part}", Timeout = RentTimeout }, cancellationToken);

        var waited = Stopwatch.GetElapsedTime(started).Ticks;
        long longest;
        while (waited > (longest = Interlocked.Read(ref _longestWait)))
            Interlocked.CompareExchange(ref _longestWait, waited, longest);
        return lease;
    }
}
