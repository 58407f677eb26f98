using PgPool.Migration.Checkpoints;

namespace PgPool.Migration.Running;

/// <summary>What a job did in one transaction.</summary>
/// <param name="Outcome">Rows and bytes.</param>
/// <param name="Position">Null: the partition is done; else how far it has come.</param>
internal readonly record struct JobResult(PartitionOutcome Outcome, string? Position = null)
{
    public bool CompletesPartition => Position is null;
}
