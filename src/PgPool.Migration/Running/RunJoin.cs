using System.Data;
using System.Data.Common;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Checkpoints;
using PgPool.Migration.Diagnostics;
using PgPool.Migration.Partitions;
using PgPool.Migration.Snapshots;

namespace PgPool.Migration.Running;

/// <summary>
/// Begins a run, or joins the one of that id: under one lock, in one transaction on the target, so that what is refused leaves nothing behind and
/// processes that start together make one plan.
/// </summary>
internal sealed class RunJoin(RunState run, string kind, IReadOnlyList<TablePlan> plans)
{
    private SnapshotGroup? _snapshot;
    private IReadOnlyList<ConnectionLease>? _readers;
    private bool _isJoined;

    /// <param name="pool">The source.</param>
    /// <param name="readers">Its leases: they are the snapshot's from now on, whatever happens.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<JoinedRun> RunAsync(ConnectionPool pool, IReadOnlyList<ConnectionLease> readers, CancellationToken cancellationToken)
    {
        _readers = readers;
        try
        {
            // Whether a COMMIT took place whose answer was lost: the next attempt finds out, as it would after a crash.
            return await run.OnTargetAsync(
                "the plan", target => JoinAsync(pool, readers.Count, target, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            if (_snapshot is not null)
                await _snapshot.DisposeAsync().ConfigureAwait(false);
            else
                await ReturnReadersAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<JoinedRun> JoinAsync(
        ConnectionPool pool, int readers, ConnectionLease target, CancellationToken cancellationToken)
    {
        var transaction = await target.Connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await target.ExecuteAsync(SessionSettings.ForWriting(target), cancellationToken).ConfigureAwait(false);
            await run.Store.LockAsync(target, cancellationToken).ConfigureAwait(false);
            var stored = await run.Store.ReadAsync(target, cancellationToken).ConfigureAwait(false);
            if (stored is not null)
            {
                PlanComparison.Check(run.RunId, stored, kind, plans);
                var counts = await run.Store.CountAsync(target, cancellationToken).ConfigureAwait(false);
                if (counts.IsFinished)
                {
                    await ReturnReadersAsync().ConfigureAwait(false);
                    return new JoinedRun(Snapshot: null, stored.Epoch, counts);
                }
            }

            _snapshot ??= await TakeSnapshotAsync(pool, readers, Plan(stored), cancellationToken).ConfigureAwait(false);
            var epoch = stored is null
                ? await BeginAsync(target, cancellationToken).ConfigureAwait(false)
                : await ResumeAsync(stored, target, cancellationToken).ConfigureAwait(false);
            await run.Store.RegisterSnapshotAsync(target, epoch, _snapshot.ExportedIds, _snapshot.Contents, cancellationToken).ConfigureAwait(false);
            var begun = await run.Store.CountAsync(target, cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);

            if (stored is null)
                MigrationLog.Began(run.Log, run.RunId, begun.Total, plans.Count, readers);
            else
                MigrationLog.Resumed(run.Log, run.RunId, begun.Done, begun.Total, readers, epoch);
            run.Epoch = epoch;
            _isJoined = true;
            return new JoinedRun(_snapshot, epoch, begun);
        }
    }

    // A snapshot takes its leases over, also when it fails: the next attempt needs others.
    private async Task<SnapshotGroup> TakeSnapshotAsync(ConnectionPool pool, int readers, SnapshotPlan plan, CancellationToken cancellationToken)
    {
        var leases = _readers ?? await pool.RentManyAsync(
            readers, new() { Label = $"{kind} {run.RunId}", Priority = RentPriority.High }, cancellationToken).ConfigureAwait(false);
        _readers = null;
        return await SnapshotGroup.TakeAsync(pool, leases, plan, cancellationToken).ConfigureAwait(false);
    }

    private async Task ReturnReadersAsync()
    {
        if (_readers is { } readers)
            await LeaseGang.ReturnAsync(readers).ConfigureAwait(false);
        _readers = null;
    }

    private SnapshotPlan Plan(StoredRun? stored) => new()
    {
        // Keeps others from rewriting or emptying a table while its rows are read: a snapshot does not see them any more after that.
        Lock = plans.Count == 0 ? null : $"LOCK TABLE {string.Join(", ", plans.Select(plan => Alone(plan.Source, plan.Relations)))} IN ACCESS SHARE MODE",
        ImportFrom = stored?.Snapshots ?? [],
        ImportContents = stored?.SnapshotContents,
        ElsewhereAsync = FindSnapshotsAsync,
        ChangedAsync = TellSnapshotsAsync,
    };

    // Partitions go with their table; children by inheritance are tables of their own.
    private static string Alone(TableName table, IReadOnlyList<Relation> relations) =>
        relations is [var only] && only.Name == table ? $"ONLY {table}" : table.ToString();

    private async Task<int> BeginAsync(ConnectionLease target, CancellationToken cancellationToken)
    {
        var partitions = new IReadOnlyList<Partition>[plans.Count];
        var defined = new TablePlan[plans.Count];
        await _snapshot!.ForEachAsync(Enumerable.Range(0, plans.Count), async (source, i, token) =>
        {
            partitions[i] = await Partitioner.PlanAsync(source, plans[i], run.Options.PartitionBytes, token).ConfigureAwait(false);
            var byKey = partitions[i].Where(static partition => partition.Kind == PartitionKind.Key).Select(static partition => partition.Relation.Oid).ToHashSet();
            var relations = await RelationChanges.DescribeAsync(source, plans[i], byKey, token).ConfigureAwait(false);
            defined[i] = plans[i] with { Definition = plans[i].Definition.Concat(relations).ToDictionary() };
        }, cancellationToken).ConfigureAwait(false);

        var emptied = plans.Where(plan => plan.Copy.Mode == TargetMode.Truncate)
            .Select(plan => Alone(plan.Target, plan.TargetRelations)).Distinct().ToList();
        if (emptied.Count > 0)
        {
            if (run.Options.DisableTriggers)
                await target.ExecuteAsync("SET LOCAL session_replication_role = replica", cancellationToken).ConfigureAwait(false);
            await target.ExecuteAsync($"TRUNCATE {string.Join(", ", emptied)}", cancellationToken).ConfigureAwait(false);
        }

        await run.Store.CreateAsync(target, kind, defined, partitions.SelectMany(some => some), cancellationToken).ConfigureAwait(false);
        return 1;
    }

    private async Task<int> ResumeAsync(StoredRun stored, ConnectionLease target, CancellationToken cancellationToken)
    {
        // One after the other, as all of them write to the target on one connection; where the source's breaks, from the beginning.
        await target.ExecuteAsync("SAVEPOINT pgpool_replan", cancellationToken).ConfigureAwait(false);
        var replanned = new TablePlan[plans.Count];
        await _snapshot!.ForEachAsync([0], async (source, _, token) =>
        {
            await target.ExecuteAsync("ROLLBACK TO SAVEPOINT pgpool_replan", token).ConfigureAwait(false);
            var changes = new RelationChanges(run, stored, target, source, token);
            for (var i = 0; i < plans.Count; i++)
                replanned[i] = await changes.ApplyAsync(plans[i], _snapshot.IsImported).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
        run.Replan(replanned);
        if (_snapshot.IsImported)
            return stored.Epoch;
        var torn = await run.Store.TornByBlocksAsync(target, cancellationToken).ConfigureAwait(false);
        if (torn.Count > 0 && !run.Options.SourceIsFrozen)
        {
            throw new MigrationException(
                $"Run {run.RunId} cannot go on: {string.Join(", ", torn.Distinct())} {(torn.Count == 1 ? "is" : "are")} cut by blocks and partly copied, and "
                + "the snapshot in which that was done is gone. Rows may have moved between blocks since, so that some would be copied twice or not at all. "
                + $"If the source has not changed since, say so with {nameof(MigrationOptions.SourceIsFrozen)}; if it may have, begin a new run, "
                + $"with {nameof(TargetMode)}.{nameof(TargetMode.Truncate)}; tables cut by {nameof(PartitionBy)}.{nameof(PartitionBy.Key)} can be resumed.");
        }

        return await run.Store.BeginEpochAsync(target, cancellationToken).ConfigureAwait(false);
    }

    // A worker that looks for another snapshot has just given its target lease back.
    private Task<IReadOnlyList<string>> FindSnapshotsAsync(CancellationToken cancellationToken) =>
        run.Targets.UseAsync(target => run.Store.SnapshotsAsync(target, run.Epoch, cancellationToken), cancellationToken);

    // A hint for processes that join later: where no lease is free, or it fails, they try the ids they know.
    private async Task TellSnapshotsAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        if (!_isJoined || run.Targets.TryTake() is not { } target)
            return;
        try
        {
            await run.Store.RegisterSnapshotAsync(target, run.Epoch, ids, _snapshot!.Contents, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is DbException && !cancellationToken.IsCancellationRequested)
        {
            MigrationLog.SnapshotNotTold(run.Log, run.RunId, e);
        }
        finally
        {
            await run.Targets.PutBackAsync(target).ConfigureAwait(false);
        }
    }
}
