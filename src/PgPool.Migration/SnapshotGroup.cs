using PgPool.Migration.Snapshots;

namespace PgPool.Migration;

/// <summary>Leases on one snapshot: all of them see the database at one instant.</summary>
/// <remarks>
/// A lease that breaks, or whose transaction was ended, is replaced by one that imports the same snapshot again, exported by a surviving lease.
/// Only when all are lost is the snapshot lost (<see cref="SnapshotLostException"/>). The methods may be used by several threads at once.
/// </remarks>
public sealed class SnapshotGroup : IAsyncDisposable
{
    internal const string Label = "snapshot";

    private readonly SnapshotMembers _members;

    private SnapshotGroup(SnapshotMembers members, DateTimeOffset takenAt) => (_members, TakenAt) = (members, takenAt);

    /// <summary>
    /// An identifier for SET TRANSACTION SNAPSHOT elsewhere in the database, importable now; it changes when the lease that exported it is replaced.
    /// </summary>
    /// <exception cref="SnapshotLostException">Every lease of the snapshot broke.</exception>
    /// <exception cref="ObjectDisposedException">The group was disposed.</exception>
    public string SnapshotId
    {
        get
        {
            _members.ThrowIfClosed();
            return _members.ExportedIds is [var id, ..] ? id : throw _members.Lost(null);
        }
    }

    /// <summary>When the snapshot was taken, by this machine's clock.</summary>
    public DateTimeOffset TakenAt { get; }

    /// <summary>How many leases the group has, those included that wait for their replacement.</summary>
    public int Count => _members.Count;

    /// <summary>Whether the snapshot is one of <see cref="SnapshotPlan.ImportFrom"/> rather than a new one.</summary>
    internal bool IsImported => _members.IsImported;

    /// <summary>What pg_current_snapshot() says in its transactions: for <see cref="SnapshotPlan.ImportContents"/>.</summary>
    internal string Contents => _members.Contents;

    /// <summary>The identifiers that can be imported now, one of each member that is believed alive.</summary>
    internal IReadOnlyList<string> ExportedIds => _members.ExportedIds;

    /// <summary>
    /// Hands each item to the next free lease. An item whose lease broke runs again on a healed one, so body must bear repetition; any other
    /// failure of body stops the rest and is thrown.
    /// </summary>
    /// <typeparam name="T">What an item is.</typeparam>
    /// <param name="items">Enumerated while the leases work, one at a time, and no sooner than a lease is free for it.</param>
    /// <param name="body">
    /// What to do with an item. It gets a lease in its transaction, in the state of the group's beginning whatever other items did in it, and a
    /// token that is cancelled when the rest is stopped. It need not end the transaction; if it does, the lease rejoins the snapshot afterwards.
    /// </param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <remarks>
    /// Broken means that body threw and its connection is not open any more. An item that breaks ten leases is taken for the cause: its failure is
    /// thrown. Calls may overlap: they share the leases.
    /// </remarks>
    /// <exception cref="SnapshotLostException">Every lease of the snapshot broke, or the only one's transaction was ended.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The group was disposed.</exception>
    public Task ForEachAsync<T>(
        IEnumerable<T> items, Func<ConnectionLease, T, CancellationToken, ValueTask> body, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(body);
        return new SnapshotRun<T>(_members, body, cancellationToken).RunAsync(items);
    }

    /// <summary>
    /// Ends the transactions and returns all leases. A lease that is in use by <see cref="ForEachAsync"/> has its token cancelled and is returned
    /// when body ends. Disposing twice does nothing.
    /// </summary>
    public ValueTask DisposeAsync() => _members.DisposeAsync();

    /// <summary>Begins a snapshot, or joins one, on all of the leases. Takes the leases over, also when it fails.</summary>
    /// <param name="pool">Where the leases came from, and their replacements will.</param>
    /// <param name="leases">At least one.</param>
    /// <param name="plan">Where the snapshot comes from, and what is to be locked.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    internal static async Task<SnapshotGroup> TakeAsync(
        ConnectionPool pool, IReadOnlyList<ConnectionLease> leases, SnapshotPlan plan, CancellationToken cancellationToken)
    {
        SnapshotMember[] members = [.. leases.Select((lease, index) => new SnapshotMember(lease, index == 0 ? plan.Lock : null))];
        try
        {
            var (contents, isImported) = await SnapshotOpening.OpenAsync(members, plan, cancellationToken).ConfigureAwait(false);
            var group = new SnapshotGroup(new(pool, members, plan, contents, isImported), TimeProvider.System.GetUtcNow());
            if (plan.ChangedAsync is { } changed)
                await changed(group.ExportedIds, cancellationToken).ConfigureAwait(false);
            return group;
        }
        catch
        {
            await Task.WhenAll(members.Select(member => member.LeaveAsync())).ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc cref="SnapshotMembers.WatchAsync"/>
    internal Task WatchAsync(TimeProvider clock, CancellationToken cancellationToken) => _members.WatchAsync(clock, cancellationToken);

    /// <summary>
    /// Puts a lease of the group back to the state of its beginning: out of a failed statement, without what was set or locked since. Throws if
    /// the lease is not in the snapshot any more: nothing may be read on it then.
    /// </summary>
    internal ValueTask EnterAsync(ConnectionLease lease, CancellationToken cancellationToken)
    {
        _members.ThrowIfClosed();
        return new(SnapshotTransaction.EnterAsync(lease, cancellationToken));
    }
}
