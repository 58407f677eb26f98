using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Verifying;

/// <summary>Adds up the tables of one side, part by part, on all leases of its snapshot.</summary>
internal sealed class SideSums(SnapshotGroup snapshot, IReadOnlyList<TablePlan> plans, RowChecksum checksum, bool isSource, long partitionBytes)
{
    private readonly Lock _lock = new();
    private readonly TableSum[] _sums = new TableSum[plans.Count];

    /// <summary>The sums, in the order of the tables.</summary>
    public async Task<IReadOnlyList<TableSum>> RunAsync(CancellationToken cancellationToken)
    {
        List<(int Table, Partition Part)> parts = [];
        await snapshot.ForEachAsync(Enumerable.Range(0, plans.Count), async (lease, table, token) =>
        {
            var cut = await Partitioner.PlanAsync(lease, Readable(lease, plans[table]), partitionBytes, token).ConfigureAwait(false);
            lock (_lock)
                parts.AddRange(cut.Select(part => (table, part)));
        }, cancellationToken).ConfigureAwait(false);

        await snapshot.ForEachAsync(parts.OrderByDescending(static part => part.Part.Bytes), async (lease, part, token) =>
        {
            var sum = await checksum.SumAsync(lease, part.Part, isSource, token).ConfigureAwait(false);
            lock (_lock)
                _sums[part.Table] += sum;
        }, cancellationToken).ConfigureAwait(false);
        return _sums;
    }

    // Blocks are read one after the other, and any table has them. Before PostgreSQL 14 a range of them is found by reading all.
    private TablePlan Readable(ConnectionLease lease, TablePlan plan) => plan with
    {
        Copy = plan.Copy with { PartitionBy = lease.Connection.PostgreSqlVersion.Major >= 14 ? PartitionBy.Blocks : PartitionBy.Auto },
        Relations = isSource ? plan.Relations : plan.TargetRelations,
        IsIndivisible = false,
    };
}
