using PgPool.Migration.Partitions;

namespace PgPool.Migration.Running;

/// <summary>What is done to a partition.</summary>
internal interface IPartitionJob
{
    /// <summary>Does the partition, or the next part of it, in the target's open transaction; the caller commits.</summary>
    /// <param name="source">Within the snapshot; null for a job that works on the target alone.</param>
    /// <param name="target">In the transaction that carries data and checkpoint.</param>
    /// <param name="partition">What was claimed.</param>
    /// <param name="position">How far earlier parts of it came; null: nowhere yet.</param>
    /// <param name="attempt">Is told what goes through.</param>
    /// <param name="cancellationToken">Ends it on both sides.</param>
    Task<JobResult> RunAsync(
        ConnectionLease? source, ConnectionLease target, Partition partition, string? position, ProgressMeter.Attempt attempt,
        CancellationToken cancellationToken);

    /// <summary>Why the partition's rows were refused, in words for the caller, after its transaction was rolled back.</summary>
    Task<MigrationException> ExplainAsync(
        ConnectionLease? source, ConnectionLease target, Partition partition, Exception refusal, CancellationToken cancellationToken);

    /// <summary>Whether a partition that takes too long may be cut in two.</summary>
    bool MaySplit(Partition partition);
}
