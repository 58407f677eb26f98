namespace PgPool.Migration.Snapshots;

/// <summary>A place in a group: a lease in the snapshot, or one that waits for a new lease. Whoever has taken it has it alone.</summary>
/// <param name="lease">Its first lease.</param>
/// <param name="lockSql">What its transaction locks, see <see cref="SnapshotPlan.Lock"/>.</param>
internal sealed class SnapshotMember(ConnectionLease lease, string? lockSql)
{
    private ConnectionLease? _lease = lease;
    private string? _exportedId;

    /// <summary>What its transaction locks, see <see cref="SnapshotPlan.Lock"/>.</summary>
    public string? LockSql { get; } = lockSql;

    /// <summary>The lease, in the snapshot or about to join it.</summary>
    public ConnectionLease Lease => _lease ?? throw new InvalidOperationException("The member has no lease.");

    /// <summary>What others import from it; null when it is known not to be in the snapshot. Others may look.</summary>
    public string? ExportedId => Volatile.Read(ref _exportedId);

    /// <summary>Whether it is in the snapshot, for all that is known.</summary>
    public bool IsAlive => ExportedId is not null;

    /// <summary>Whether its connection is gone.</summary>
    public bool IsBroken => _lease is not { } lease || SnapshotTransaction.IsBroken(lease);

    /// <summary>It is in the snapshot on this lease.</summary>
    public void Join(ConnectionLease lease, string exportedId)
    {
        _lease = lease;
        Volatile.Write(ref _exportedId, exportedId);
    }

    /// <summary>Notes that what it exported cannot be imported any more; anybody may know.</summary>
    public void Forget(string? exportedId) => Interlocked.CompareExchange(ref _exportedId, null, exportedId);

    /// <summary>Leaves the snapshot and returns the lease, if it still has one.</summary>
    public async Task LeaveAsync()
    {
        Volatile.Write(ref _exportedId, null);
        if (Interlocked.Exchange(ref _lease, null) is { } lease)
            await SnapshotTransaction.EndAsync(lease).ConfigureAwait(false);
    }
}
