using System.Data;
using PgPool.Migration.Diagnostics;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Running;

/// <summary>One of the run's workers: claims partitions, one after the other, and does the job to each, until none is left.</summary>
internal sealed class Worker(RunState run, IPartitionJob job)
{
    // Partitions that another process has may come free at any time, without a signal.
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    // By this the ledger counts what failed before a partition was claimed.
    private readonly int _claims = run.Ledger.NewKey();

    /// <summary>Returns when the run is finished, or stopped (then see <see cref="RunState.ThrowIfStopped"/>).</summary>
    /// <param name="source">Within the snapshot; null for a job on the target alone.</param>
    /// <exception cref="Exception">The source's connection broke: with another one, this may be called again.</exception>
    public async ValueTask RunAsync(ConnectionLease? source)
    {
        while (!run.Stop.IsCancellationRequested)
        {
            var change = run.Signal.Next;
            var step = await StepAsync(source).ConfigureAwait(false);
            if (step is Step.Finished or Step.Left)
                return;
            if (step == Step.NothingToClaim)
            {
                run.Ledger.Waiting(out var due);
                await run.Signal.WaitAsync(change, due < PollInterval ? due.Value : PollInterval, run.Stop).ConfigureAwait(false);
            }
        }
    }

    private async Task<Step> StepAsync(ConnectionLease? source)
    {
        ConnectionLease? target = null;
        var attempt = new PartitionAttempt(run, job, _claims);
        try
        {
            target = await run.Targets.TakeAsync(run.Stop).ConfigureAwait(false);
            await run.Pause.WaitAsync(target, run.Stop).ConfigureAwait(false);
            return await attempt.RunAsync(source, target).ConfigureAwait(false);
        }
        catch (Exception) when (run.Stop.IsCancellationRequested)
        {
            return Step.Left;
        }
        catch (Exception e)
        {
            // A broken one gives its place in the pool back first: what comes now may need another.
            if (target is not null && target.Connection.FullState != ConnectionState.Open)
            {
                await run.Targets.PutBackAsync(target).ConfigureAwait(false);
                target = null;
            }

            var step = await DecideAsync(source, target, attempt, e).ConfigureAwait(false);

            // Whoever lends the source's lease mends it, and calls again.
            if (step == Step.Failed && source is not null && source.Connection.FullState != ConnectionState.Open)
                throw;
            return step;
        }
        finally
        {
            if (target is not null)
                await run.Targets.PutBackAsync(target).ConfigureAwait(false);
        }
    }

    private async Task<Step> DecideAsync(ConnectionLease? source, ConnectionLease? target, PartitionAttempt attempt, Exception exception)
    {
        try
        {
            if (attempt.IsInDoubt && await WasCommittedAsync(attempt).ConfigureAwait(false))
            {
                attempt.Settle();
                return Step.Done;
            }

            var kind = Failures.Classify(exception);
            if (kind == FailureKind.BadRow && attempt.Partition is { } refused && target is not null)
            {
                run.Fail(await job.ExplainAsync(source, target, refused, exception, run.Stop).ConfigureAwait(false));
                return Step.Left;
            }

            if (kind == FailureKind.Fatal || !run.Ledger.TryAgain(attempt.Key, kind, out var delay))
            {
                run.Fail(Explain(attempt.Partition, exception, gaveUp: kind != FailureKind.Fatal));
                return Step.Left;
            }

            MigrationLog.Retried(run.Log, run.RunId, attempt.Partition?.ToString() ?? "a claim", delay, exception);
            if (kind == FailureKind.Overload && run.TryLeave())
            {
                MigrationLog.LoweredDegree(run.Log, run.RunId);
                return Step.Left;
            }

            // A partition is left alone for the delay; what failed before one was claimed has only the worker to wait.
            if (attempt.Partition is null)
                await Task.Delay(delay, run.Options.TimeProvider, run.Stop).ConfigureAwait(false);
            run.Signal.Set();
            return Step.Failed;
        }
        catch (OperationCanceledException) when (run.Stop.IsCancellationRequested)
        {
            return Step.Left;
        }
        catch (Exception e)
        {
            run.Fail(Explain(attempt.Partition, e, gaveUp: false));
            return Step.Left;
        }
    }

    private async Task<bool> WasCommittedAsync(PartitionAttempt attempt)
    {
        var partition = attempt.Partition!;
        var committed = await run.OnTargetAsync(
            $"whether {partition} was committed", target => run.Store.WasCommittedAsync(target, partition.Number, attempt.Id, run.Stop), run.Stop)
            .ConfigureAwait(false);
        MigrationLog.LostCommit(run.Log, run.RunId, partition.ToString(), committed);
        return committed;
    }

    private MigrationException Explain(Partition? partition, Exception exception, bool gaveUp)
    {
        exception = Failures.CauseOf(exception);
        if (exception is MigrationException already)
            return already;
        var what = partition is null ? $"Run {run.RunId}" : partition.ToString();
        var attempts = gaveUp ? $" failed {run.Options.MaxAttempts} times, at last" : "";
        var cure = Failures.Cure(exception) ?? "What is done stays done: run the same id again when the cause is cured.";
        return new MigrationException($"{what}{attempts}: {Failures.Words(exception)} {cure}", exception)
        {
            Table = partition?.Table.Source,
            Partition = partition?.Bounds,
        };
    }
}
