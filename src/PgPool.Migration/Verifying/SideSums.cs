using Npgsql;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Verifying;

/// <summary>Adds up the tables of one side, part by part, on all leases of its snapshot.</summary>
/// <param name="snapshot">The side's.</param>
/// <param name="plans">The tables.</param>
/// <param name="checksum">How a part is added up.</param>
/// <param name="rejected">The rows of the source to be added up apart; null: of the target.</param>
/// <param name="partitionBytes">How large parts are.</param>
internal sealed class SideSums(
    SnapshotGroup snapshot, IReadOnlyList<TablePlan> plans, RowChecksum checksum, RejectedRows? rejected, long partitionBytes)
{
    private readonly Lock _lock = new();
    private readonly TableSum[] _sums = [.. plans.Select(static _ => new TableSum(0, 0))];
    private readonly IReadOnlyDictionary<TableName, string[]>?[] _apart = new IReadOnlyDictionary<TableName, string[]>?[plans.Count];

    // Which side's columns.
    private bool IsSource => rejected is not null;

    /// <summary>How many rows of a table are left out of its sum.</summary>
    public long Apart(int table) => _apart[table]?.Values.Sum(static rows => (long)rows.Length) ?? 0;

    /// <summary>The sums, in the order of the tables.</summary>
    public async Task<IReadOnlyList<TableSum>> RunAsync(CancellationToken cancellationToken)
    {
        List<(int Table, Partition Part)> parts = [];
        await snapshot.ForEachAsync(Enumerable.Range(0, plans.Count), async (lease, table, token) =>
        {
            if (rejected is not null)
                _apart[table] = await rejected.FindAsync(lease, plans[table], token).ConfigureAwait(false);
            var cut = await Partitioner.PlanAsync(lease, Readable(lease, plans[table]), partitionBytes, token).ConfigureAwait(false);
            lock (_lock)
                parts.AddRange(cut.Select(part => (table, part)));
        }, cancellationToken).ConfigureAwait(false);

        await snapshot.ForEachAsync(parts.OrderByDescending(static part => part.Part.Bytes), async (lease, part, token) =>
        {
            var apart = _apart[part.Table]?.GetValueOrDefault(part.Part.Relation.Name) is { Length: > 0 } rows ? $"ctid NOT IN ({Addresses(rows)})" : null;
            var sum = await SumAsync(lease, part.Part, apart, token).ConfigureAwait(false);
            lock (_lock)
                _sums[part.Table] += sum;
        }, cancellationToken).ConfigureAwait(false);
        return _sums;
    }

    /// <summary>The sum of a table's rows that were left out.</summary>
    public async Task<TableSum> SumApartAsync(int table, CancellationToken cancellationToken)
    {
        var sum = new TableSum(0, 0);
        await snapshot.ForEachAsync(plans[table].Relations, async (lease, relation, token) =>
        {
            if (_apart[table]?.GetValueOrDefault(relation.Name) is not { Length: > 0 } rows)
                return;
            var part = new Partition(plans[table], relation, PartitionKind.Whole, null, null, relation.Bytes);
            var those = await SumAsync(lease, part, $"ctid IN ({Addresses(rows)})", token).ConfigureAwait(false);
            lock (_lock)
                sum += those;
        }, cancellationToken).ConfigureAwait(false);
        return sum;
    }

    private async Task<TableSum> SumAsync(ConnectionLease lease, Partition part, string? only, CancellationToken cancellationToken)
    {
        try
        {
            return await checksum.SumAsync(lease, part, IsSource, only, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (IsSource && e.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            // What the source cannot convert to the target's type has no like there.
            await snapshot.EnterAsync(lease, cancellationToken).ConfigureAwait(false);
            var counted = await checksum.Counting.SumAsync(lease, part, IsSource, only, cancellationToken).ConfigureAwait(false);
            return counted with { Hashes = null };
        }
    }

    private static string Addresses(string[] rows) =>
        $"SELECT pg_catalog.unnest('{{{string.Join(',', rows.Select(static row => $"\"{row}\""))}}}'::tid[])";

    // Blocks are read one after the other, and any table has them. Before PostgreSQL 14 a range of them is found by reading all.
    private TablePlan Readable(ConnectionLease lease, TablePlan plan) => plan with
    {
        Copy = plan.Copy with { PartitionBy = lease.Connection.PostgreSqlVersion.Major >= 14 ? PartitionBy.Blocks : PartitionBy.Auto },
        Relations = IsSource ? plan.Relations : plan.TargetRelations,
        IsIndivisible = false,
    };
}
