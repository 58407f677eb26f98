using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Partitions;

/// <summary>Cuts tables into partitions. Every row is in exactly one of a relation's partitions: the first and the last are open.</summary>
internal static class Partitioner
{
    /// <summary>What a table can be cut by instead of its key.</summary>
    public const string OtherThanKey = $"{nameof(PartitionBy)}.{nameof(PartitionBy.Blocks)} or {nameof(PartitionBy)}.{nameof(PartitionBy.Whole)}";

    /// <summary>Cuts the table into partitions of about <paramref name="partitionBytes"/> of heap and TOAST, largest first.</summary>
    /// <param name="source">A lease whose transaction sees the snapshot.</param>
    /// <param name="table">The table.</param>
    /// <param name="partitionBytes">Bytes per partition.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <exception cref="MigrationException">The table is to be cut by a key that it lacks, or that cannot be cut.</exception>
    public static async Task<IReadOnlyList<Partition>> PlanAsync(
        ConnectionLease source, TablePlan table, long partitionBytes, CancellationToken cancellationToken)
    {
        List<Partition> partitions = [];
        foreach (var relation in table.Relations)
            partitions.AddRange(await PlanAsync(source, table, relation, partitionBytes, cancellationToken).ConfigureAwait(false));
        return [.. partitions.OrderByDescending(partition => partition.Bytes)];
    }

    /// <summary>Cuts one partition in two of about the same size; null where it cannot be cut: one key value, one block.</summary>
    /// <param name="source">A lease whose transaction sees the snapshot.</param>
    /// <param name="partition">The partition; its number is not handed on.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    public static async Task<(Partition First, Partition Second)?> SplitAsync(
        ConnectionLease source, Partition partition, CancellationToken cancellationToken)
    {
        var kind = partition.Kind == PartitionKind.Whole
            ? await KindAsync(source, partition.Table, partition.Relation, cancellationToken).ConfigureAwait(false)
            : partition.Kind;
        var middle = kind switch
        {
            PartitionKind.Key => await KeyRanges.MiddleAsync(source, partition with { Kind = kind }, cancellationToken).ConfigureAwait(false),
            PartitionKind.Blocks => await BlockRanges.MiddleAsync(source, partition, cancellationToken).ConfigureAwait(false),
            _ => null,
        };
        if (middle is null)
            return null;
        var half = partition.Bytes / 2;
        return (partition with { Kind = kind, Upper = middle, Bytes = half, Number = 0 },
            partition with { Kind = kind, Lower = middle, Bytes = partition.Bytes - half, Number = 0 });
    }

    /// <summary>Why a relation that is to be cut by its key cannot be; null where it can, or is not to be.</summary>
    public static async Task<string?> WhyNotByKeyAsync(
        ConnectionLease source, TablePlan table, Relation relation, CancellationToken cancellationToken)
    {
        if (table.Copy.PartitionBy != PartitionBy.Key || IsOnePiece(table, relation)
            || await KeyRanges.ArePossibleAsync(source, relation, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        return relation.Key is { } key
            ? $"its first column, {Sql.Name(key.Name)}, is of type {key.Type}, whose values are not sure to be read back from text in the same order"
            : "it has none";
    }

    private static async Task<IReadOnlyList<Partition>> PlanAsync(
        ConnectionLease source, TablePlan table, Relation relation, long partitionBytes, CancellationToken cancellationToken)
    {
        // What fits in one partition needs no bounds, and can be resumed in any case.
        var count = (relation.Bytes + partitionBytes - 1) / partitionBytes;
        if (count > 1 || table.Copy.PartitionBy == PartitionBy.Key)
        {
            var kind = await KindAsync(source, table, relation, cancellationToken).ConfigureAwait(false);
            if (count > 1 && kind == PartitionKind.Key)
                return await KeyRanges.CutAsync(source, table, relation, count, cancellationToken).ConfigureAwait(false);
            if (count > 1 && kind == PartitionKind.Blocks)
                return BlockRanges.Cut(table, relation, count);
        }

        return [new Partition(table, relation, PartitionKind.Whole, null, null, relation.Bytes)];
    }

    private static async Task<PartitionKind> KindAsync(
        ConnectionLease source, TablePlan table, Relation relation, CancellationToken cancellationToken)
    {
        if (IsOnePiece(table, relation))
            return PartitionKind.Whole;
        if (table.Copy.PartitionBy != PartitionBy.Blocks && await KeyRanges.ArePossibleAsync(source, relation, cancellationToken).ConfigureAwait(false))
            return PartitionKind.Key;
        if (await WhyNotByKeyAsync(source, table, relation, cancellationToken).ConfigureAwait(false) is { } why)
        {
            throw new MigrationException($"{relation.Name} cannot be cut by its primary key: {why}. Use {OtherThanKey}.")
            {
                Table = table.Source,
            };
        }

        return PartitionKind.Blocks;
    }

    // Without blocks there is nothing to cut, or it is elsewhere.
    private static bool IsOnePiece(TablePlan table, Relation relation) =>
        relation.Blocks == 0 || table.IsIndivisible || table.Copy.PartitionBy == PartitionBy.Whole;
}
