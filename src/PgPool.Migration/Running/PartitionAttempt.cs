using System.Data;
using Npgsql;
using PgPool.Migration.Diagnostics;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Running;

/// <summary>One transaction on the target: claims a partition, does the job to it, notes it, commits.</summary>
internal sealed class PartitionAttempt(RunState run, IPartitionJob job, int claims)
{
    private static readonly TimeSpan RollbackTimeout = TimeSpan.FromSeconds(1);

    private JobResult _result;
    private bool _isSplit;

    /// <summary>Noted with the data: by it a COMMIT whose answer was lost is told from one that did not take place.</summary>
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>What was claimed, if anything.</summary>
    public Partition? Partition { get; private set; }

    /// <summary>By what the ledger counts its failure: the partition, or the worker's claims.</summary>
    public int Key => Partition?.Number ?? claims;

    /// <summary>COMMIT was sent, and nobody knows whether it took place.</summary>
    public bool IsInDoubt { get; private set; }

    public async Task<Step> RunAsync(ConnectionLease? source, ConnectionLease target)
    {
        var transaction = await target.Connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, run.Stop).ConfigureAwait(false);
        try
        {
            await target.ExecuteAsync(Settings(target), run.Stop).ConfigureAwait(false);
            var claim = await run.Store.ClaimAsync(target, run.Ledger.Waiting(out _), run.Stop).ConfigureAwait(false);
            run.Ledger.Forget(claims);
            if (claim is not { } claimed)
            {
                var counts = await run.Store.CountAsync(target, run.Stop).ConfigureAwait(false);
                run.Meter.Count(counts);
                return counts.IsFinished ? Step.Finished : Step.NothingToClaim;
            }

            Partition = claimed.Of(run.Tables[claimed.Table]);
            if (source is not null)
                await run.Snapshot!.EnterAsync(source, run.Stop).ConfigureAwait(false);
            return source is not null && run.Ledger.ShouldSplit(Partition.Number) && await TrySplitAsync(source, target).ConfigureAwait(false)
                ? await CommitSplitAsync(target, transaction).ConfigureAwait(false)
                : await DoAsync(source, target, transaction, claimed.Position).ConfigureAwait(false);
        }
        finally
        {
            await RollbackAsync(target, transaction).ConfigureAwait(false);
        }
    }

    /// <summary>It was committed: counts what it did.</summary>
    public void Settle()
    {
        IsInDoubt = false;
        if (_isSplit)
            return;
        using var attempt = run.Meter.Try(Partition!.Table.Source, Partition.Bytes);
        Settle(attempt);
    }

    private async Task<Step> DoAsync(ConnectionLease? source, ConnectionLease target, NpgsqlTransaction transaction, string? position)
    {
        run.Tallies[Partition!.Table.Source].Begin();
        using var attempt = run.Meter.Try(Partition.Table.Source, Partition.Bytes);
        _result = await job.RunAsync(source, target, Partition, position, attempt, run.Stop).ConfigureAwait(false);
        await run.Store.RecordAsync(target, Partition.Number, Id, run.Epoch, _result, run.Stop).ConfigureAwait(false);
        await CommitAsync(target, transaction).ConfigureAwait(false);
        Settle(attempt);
        return Step.Done;
    }

    private void Settle(ProgressMeter.Attempt attempt)
    {
        attempt.Complete(_result.Outcome, _result.CompletesPartition);
        run.Tallies[Partition!.Table.Source].Add(_result.Outcome, _result.CompletesPartition);
        run.Ledger.Forget(Partition.Number);
        MigrationLog.Done(run.Log, run.RunId, Partition.ToString(), _result.Outcome.Rows);
        run.Signal.Set();
    }

    private async Task<bool> TrySplitAsync(ConnectionLease source, ConnectionLease target)
    {
        if (!job.MaySplit(Partition!) || await Partitioner.SplitAsync(source, Partition!, run.Stop).ConfigureAwait(false) is not var (first, second))
            return false;
        MigrationLog.Split(run.Log, run.RunId, Partition!.ToString());
        await run.Store.SplitAsync(target, Partition.Number, first, second, run.Stop).ConfigureAwait(false);
        return _isSplit = true;
    }

    private async Task<Step> CommitSplitAsync(ConnectionLease target, NpgsqlTransaction transaction)
    {
        await CommitAsync(target, transaction).ConfigureAwait(false);
        run.Ledger.Forget(Partition!.Number);
        run.Signal.Set();
        return Step.Done;
    }

    private async Task CommitAsync(ConnectionLease target, NpgsqlTransaction transaction)
    {
        IsInDoubt = true;
        try
        {
            await transaction.CommitAsync(run.Stop).ConfigureAwait(false);
            IsInDoubt = false;
        }
        catch (PostgresException)
        {
            // The server answered: it did not take place. (A server that ends the session says so after COMMIT or instead of it: that stays in doubt.)
            IsInDoubt = target.Connection.FullState != ConnectionState.Open;
            throw;
        }
    }

    private string Settings(ConnectionLease target) =>
        run.Options.DisableTriggers ? $"{SessionSettings.ForWriting(target)} SET LOCAL session_replication_role = replica" : SessionSettings.ForWriting(target);

    // A no-op after a commit. On a connection that is busy or broken there is nothing to be said: the pool severs it when it is returned.
    private static async ValueTask RollbackAsync(ConnectionLease target, NpgsqlTransaction transaction)
    {
        if (target.Connection.FullState != ConnectionState.Open)
            return;
        try
        {
            await transaction.DisposeAsync().AsTask().WaitAsync(RollbackTimeout).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            // What led here is the failure to tell.
        }
    }
}
