namespace PgPool.Migration.Snapshots;

/// <summary>How the members of a new group come into one snapshot.</summary>
internal static class SnapshotOpening
{
    /// <summary>The first member takes or imports the snapshot; then all others import it, at once and now: sources forget it after a while, or when its exporter is gone.</summary>
    /// <returns>The snapshot's contents, and whether it is one of those to be imported.</returns>
    public static async Task<(string Contents, bool IsImported)> OpenAsync(SnapshotMember[] members, SnapshotPlan plan, CancellationToken cancellationToken)
    {
        var first = members[0];
        var imported = await ImportAnyAsync(first, plan, cancellationToken).ConfigureAwait(false);
        var exported = imported ?? await SnapshotTransaction.BeginAsync(first.Lease, null, first.LockSql, cancellationToken).ConfigureAwait(false);
        first.Join(first.Lease, exported.Id);
        await Task.WhenAll(members.Skip(1).Select(member => FollowAsync(member, first, exported, cancellationToken))).ConfigureAwait(false);
        return (exported.Contents, imported is not null);
    }

    private static async Task<ExportedSnapshot?> ImportAnyAsync(SnapshotMember first, SnapshotPlan plan, CancellationToken cancellationToken)
    {
        foreach (var id in plan.ImportFrom)
        {
            var imported = await SnapshotTransaction.TryImportAsync(
                first.Lease, id, plan.ImportContents, first.LockSql, cancellationToken).ConfigureAwait(false);
            if (imported is not null)
                return imported;
        }

        return null;
    }

    private static async Task FollowAsync(SnapshotMember member, SnapshotMember first, ExportedSnapshot exported, CancellationToken cancellationToken)
    {
        var own = await SnapshotTransaction.TryImportAsync(
            member.Lease, exported.Id, exported.Contents, member.LockSql, cancellationToken).ConfigureAwait(false)
            ?? throw new MigrationException(
                $"Backend {member.Lease.BackendProcessId} could not import the snapshot {exported.Id} that backend {first.Lease.BackendProcessId} exported. "
                + "Either the pool's connections go to different servers: give it a single host without load balancing; or the exporting one broke: try again.");
        member.Join(member.Lease, own.Id);
    }
}
