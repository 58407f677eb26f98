using Microsoft.Extensions.Logging;
using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Running;

/// <summary>One call that moves rows from a snapshot of the source into the target: plans or joins the run, works, reports.</summary>
/// <param name="id">The run.</param>
/// <param name="kind">"copy" or "transform": the phase, and part of what must be the same when the run is resumed.</param>
/// <param name="pools">Source and target.</param>
/// <param name="options">The caller's.</param>
/// <param name="log">Where it is logged.</param>
internal sealed class TransferRun(string id, string kind, (ConnectionPool Source, ConnectionPool Target) pools, MigrationOptions options, ILogger log)
{
    /// <summary>The columns that a transformation writes; null where rows are copied as they are.</summary>
    public IReadOnlyList<string>? TargetColumns { get; init; }

    private readonly ProgressMeter _meter = new(options.TimeProvider);

    /// <param name="tables">What the caller asked for, its arguments checked.</param>
    /// <param name="job">Makes the job of the run.</param>
    /// <param name="progress">The caller's.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    public async Task<MigrationReport> RunAsync(
        IReadOnlyList<TableCopy> tables, Func<RunState, IPartitionJob> job, IProgress<MigrationProgress>? progress, CancellationToken cancellationToken)
    {
        progress?.Report(_meter.Read(paused: false));
        var size = RunSize.Of(options, pools.Source, pools.Target);
        var label = $"{kind} {id}";
        var needs = new PreflightOptions { RunId = id, DisableTriggers = options.DisableTriggers, PauseWhile = options.PauseWhile, TransformsTo = TargetColumns };
        var plans = await Preparation.CheckAsync(pools, size, label, tables, needs, cancellationToken).ConfigureAwait(false);

        var (readers, writers) = await LeaseGang.RentAsync(pools.Source, size.Source, pools.Target, size.Target, label, cancellationToken).ConfigureAwait(false);
        var targets = new TargetLeases(pools.Target, label, writers);
        await using (targets.ConfigureAwait(false))
        {
            using var run = new RunState(id, options, plans, targets, _meter, log, size.Workers, cancellationToken);
            var join = new RunJoin(run, kind, plans);
            var joined = await join.RunAsync(pools.Source, readers, cancellationToken).ConfigureAwait(false);
            if (joined.Snapshot is { } snapshot)
            {
                await using (snapshot.ConfigureAwait(false))
                    await WorkAsync(run, joined, snapshot, size.Workers, job(run), progress).ConfigureAwait(false);
            }

            return await RunReport.MakeAsync(run, plans, joined.Counts.Done, progress, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task WorkAsync(
        RunState run, JoinedRun joined, SnapshotGroup snapshot, int workers, IPartitionJob job, IProgress<MigrationProgress>? progress)
    {
        run.Snapshot = snapshot;
        run.Epoch = joined.Epoch;
        _meter.SnapshotTakenAt = snapshot.TakenAt;
        _meter.Begin(kind, joined.Counts);

        using var ended = new CancellationTokenSource();
        var watching = snapshot.WatchAsync(options.TimeProvider, ended.Token);
        try
        {
            await new ProgressLoop(progress, run).TellWhileAsync(async () =>
            {
                var crew = Enumerable.Range(0, workers).Select(_ => new Worker(run, job));
                await snapshot.ForEachAsync(crew, async (source, worker, token) =>
                {
                    using var halting = token.UnsafeRegister(static state => ((RunState)state!).Halt(), run);
                    await worker.RunAsync(source).ConfigureAwait(false);
                }, run.Stop).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }
    }
}
