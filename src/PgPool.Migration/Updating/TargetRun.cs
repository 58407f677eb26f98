using System.Data;
using Microsoft.Extensions.Logging;
using PgPool.Migration.Checkpoints;
using PgPool.Migration.Diagnostics;
using PgPool.Migration.Partitions;
using PgPool.Migration.Running;

namespace PgPool.Migration.Updating;

/// <summary>One call that changes rows of the target in place: plans or joins the run, works, reports.</summary>
internal sealed class TargetRun(string id, ConnectionPool pool, MigrationOptions options, ILogger log)
{
    private const string Kind = "update";

    private readonly ProgressMeter _meter = new(options.TimeProvider);

    public async Task<MigrationReport> RunAsync(
        TableName table, UpdateStatement statement, IProgress<MigrationProgress>? progress, CancellationToken cancellationToken)
    {
        progress?.Report(_meter.Read(paused: false));
        var workers = Math.Min(options.Degree ?? pool.MaxSize, pool.MaxSize);
        var label = $"{Kind} {id}";
        var leases = await pool.RentManyAsync(workers, new() { Label = label }, cancellationToken).ConfigureAwait(false);
        var targets = new TargetLeases(pool, label, leases);
        await using (targets.ConfigureAwait(false))
        {
            var plan = await targets.UseAsync(
                target => UpdatePlan.ReadAsync(target, table, statement, options, cancellationToken), cancellationToken).ConfigureAwait(false);
            using var run = new RunState(id, options, [plan.Table], targets, _meter, log, workers, cancellationToken);
            var counts = await run.OnTargetAsync(
                "the plan", target => JoinAsync(target, run, plan, workers, cancellationToken), cancellationToken).ConfigureAwait(false);
            _meter.Begin(Kind, counts);
            await new ProgressLoop(progress, run).TellWhileAsync(async () =>
            {
                var job = new UpdateJob(run, plan);
                await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => new Worker(run, job).RunAsync(source: null).AsTask())).ConfigureAwait(false);
            }).ConfigureAwait(false);
            return await RunReport.MakeAsync(run, [plan.Table], counts.Done, progress, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<RunCounts> JoinAsync(ConnectionLease target, RunState run, UpdatePlan plan, int workers, CancellationToken cancellationToken)
    {
        var transaction = await target.Connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await target.ExecuteAsync(SessionSettings.ForWriting(target), cancellationToken).ConfigureAwait(false);
            await run.Store.LockAsync(target, cancellationToken).ConfigureAwait(false);
            var stored = await run.Store.ReadAsync(target, cancellationToken).ConfigureAwait(false);
            if (stored is not null)
            {
                PlanComparison.Check(id, stored, Kind, [plan.Table]);
            }
            else
            {
                var partitions = await Partitioner.PlanAsync(target, plan.Table, options.PartitionBytes, cancellationToken).ConfigureAwait(false);
                await run.Store.CreateAsync(target, Kind, [plan.Table], partitions, cancellationToken).ConfigureAwait(false);
            }

            var counts = await run.Store.CountAsync(target, cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            if (stored is null)
                MigrationLog.Began(log, id, counts.Total, 1, workers);
            else
                MigrationLog.Resumed(log, id, counts.Done, counts.Total, workers, stored.Epoch);
            return counts;
        }
    }
}
