namespace PgPool.Migration.Checkpoints;

/// <summary>What one attempt did to its partition.</summary>
/// <param name="Rows">Rows written.</param>
/// <param name="Bytes">Bytes of its COPY streams.</param>
/// <param name="Rejected">Rows that went to pgpool_migration.rejected.</param>
internal readonly record struct PartitionOutcome(long Rows, long Bytes, long Rejected);
