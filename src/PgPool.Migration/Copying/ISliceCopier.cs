using PgPool.Migration.Partitions;

namespace PgPool.Migration.Copying;

/// <summary>How rows get from one side to the other.</summary>
internal interface ISliceCopier
{
    /// <summary>Whether the target's COPY lines are the source's rows, one by one.</summary>
    bool LinesAreRows { get; }

    /// <summary>Copies the rows of a partition that fulfil a condition, in the transactions that are open on both leases.</summary>
    /// <param name="source">Within the snapshot.</param>
    /// <param name="target">In the transaction that carries the data.</param>
    /// <param name="partition">Whose table and relation it is.</param>
    /// <param name="condition">Which rows: <see cref="Partition.Condition"/>, or less.</param>
    /// <param name="observer">Is told what goes through.</param>
    /// <param name="cancellationToken">Ends it on both sides.</param>
    /// <returns>What was written.</returns>
    Task<CopyTotals> CopyAsync(
        ConnectionLease source, ConnectionLease target, Partition partition, string condition, ICopyObserver observer, CancellationToken cancellationToken);
}
