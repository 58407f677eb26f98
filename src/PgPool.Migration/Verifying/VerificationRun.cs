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
                var (here, there) = await SumAsync(source, target, plans, cancellationToken).ConfigureAwait(false);
                return new VerificationReport
                {
                    Tables = [.. plans.Select((plan, i) => new TableVerification(plan.Source, plan.Target, here[i].Rows, there[i].Rows, here[i] == there[i]))],
                };
            }
        }
    }

    private async Task<(IReadOnlyList<TableSum> Source, IReadOnlyList<TableSum> Target)> SumAsync(
        SnapshotGroup source, SnapshotGroup target, IReadOnlyList<TablePlan> plans, CancellationToken cancellationToken)
    {
        var checksum = new RowChecksum(mode, await TextTraits.ReadAsync(source, target, cancellationToken).ConfigureAwait(false));
        using var failing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sums = await Task.WhenAll(
            OneSideAsync(new SideSums(source, plans, checksum, isSource: true, options.PartitionBytes)),
            OneSideAsync(new SideSums(target, plans, checksum, isSource: false, options.PartitionBytes))).ConfigureAwait(false);
        return (sums[0], sums[1]);

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
