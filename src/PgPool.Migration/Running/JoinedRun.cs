using PgPool.Migration.Checkpoints;

namespace PgPool.Migration.Running;

/// <summary>What a call found or made when it joined the run.</summary>
/// <param name="Snapshot">The leases in the snapshot; null where all was done already.</param>
/// <param name="Epoch">The snapshot's number.</param>
/// <param name="Counts">How far the run was.</param>
internal sealed record JoinedRun(SnapshotGroup? Snapshot, int Epoch, RunCounts Counts);
