using PgPool.Migration.Catalogs;
using PgPool.Migration.Running;
using PgPool.Migration.Snapshots;

namespace PgPool.Migration.Verifying;

/// <summary>One verification: both sides are added up at the same time, each under a snapshot of its own.</summary>
internal sealed class VerificationRun(
    string id, (ConnectionPool Source, ConnectionPool Target) pools, MigrationOptions options, VerificationMode mode)
{
    /// <param name="tables">What the caller asked for, its arguments checked.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<VerificationReport> RunAsync(IReadOnlyList<TableCopy> tables, CancellationToken cancellationToken)
    {
        var size = RunSize.Of(options, pools.Source, pools.Target);
        var label = $"verify {id}";
        var plans = await Preparation.CheckAsync(pools, size, label, tables, new() { Writes = false }, cancellationToken).ConfigureAwait(false);

        var (readers, others) = await LeaseGang.RentAsync(pools.Source, size.Source, pools.Target, size.Target, label, cancellationToken).ConfigureAwait(false);
        var source = await TakeAsync(pools.Source, readers, others, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            var target = await TakeAsync(pools.Target, others, [], cancellationToken).ConfigureAwait(false);
            await using (target.ConfigureAwait(false))
            {
                return await CompareAsync(source, target, plans, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<VerificationReport> CompareAsync(
        SnapshotGroup source, SnapshotGroup target, IReadOnlyList<TablePlan> plans, CancellationToken cancellationToken)
    {
        var checksum = new RowChecksum(mode, await TextTraits.ReadAsync(source, target, cancellationToken).ConfigureAwait(false));
        var rejected = await RejectedRows.ReadAsync(target, id, cancellationToken).ConfigureAwait(false);
        var shared = new SharedRows(plans);
        using var failing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = new SideSums(source, plans, checksum, rejected, options.PartitionBytes);
        var sums = await Task.WhenAll(
            OneSideAsync(reading),
            OneSideAsync(new SideSums(target, shared.Divided, checksum, null, options.PartitionBytes))).ConfigureAwait(false);

        var tables = new List<TableVerification>();
        for (var i = 0; i < plans.Count; i++)
            tables.Add(await CompareAsync(plans[i], reading, i, sums[0][i], sums[1][i], cancellationToken).ConfigureAwait(false));
        foreach (var group in shared.Groups)
        {
            // What several tables go to counts once.
            var there = group.DistinctBy(i => plans[i].Target).Aggregate(new TableSum(0, 0), (sum, i) => sum + sums[1][i]);
            if (group.All(i => reading.Apart(i) == 0) && group.Aggregate(new TableSum(0, 0), (sum, i) => sum + sums[0][i]) == there)
            {
                foreach (var i in group)
                    tables[i] = tables[i] with { Matches = true };
            }
        }

        return new VerificationReport { Tables = tables };

        // What the one side cannot tell, the other need not go on to find out.
        async Task<IReadOnlyList<TableSum>> OneSideAsync(SideSums side)
        {
            try
            {
                return await side.RunAsync(failing.Token).ConfigureAwait(false);
            }
            catch
            {
                await failing.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    // Without the rows that were put aside; but these may have been mended in the target since.
    private static async Task<TableVerification> CompareAsync(
        TablePlan plan, SideSums reading, int table, TableSum here, TableSum there, CancellationToken cancellationToken)
    {
        var apart = reading.Apart(table);
        var found = new TableVerification(plan.Source, plan.Target, here.Rows + apart, there.Rows, here == there && apart == 0);
        if (apart == 0)
            return found;
        var isMended = here != there && here.Rows + apart == there.Rows
            && here + await reading.SumApartAsync(table, cancellationToken).ConfigureAwait(false) == there;
        return isMended ? found with { Matches = true } : found with { RejectedRows = apart, MatchesButForRejected = here == there };
    }

    private static async Task<SnapshotGroup> TakeAsync(
        ConnectionPool pool, IReadOnlyList<ConnectionLease> leases, IReadOnlyList<ConnectionLease> others, CancellationToken cancellationToken)
    {
        try
        {
            return await SnapshotGroup.TakeAsync(pool, leases, new SnapshotPlan(), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await LeaseGang.ReturnAsync(others).ConfigureAwait(false);
            throw;
        }
    }
}
