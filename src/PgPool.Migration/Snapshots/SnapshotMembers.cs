namespace PgPool.Migration.Snapshots;

/// <summary>The members of a group: handed out one by one, and only in the snapshot.</summary>
internal sealed class SnapshotMembers : IAsyncDisposable
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(10);

    private readonly ConnectionPool _pool;
    private readonly SnapshotMember[] _all;
    private readonly FreeMembers _free;
    private readonly SnapshotHealer _healer;
    private readonly CancellationTokenSource _closing = new();
    private bool _isDisposed;

    public SnapshotMembers(ConnectionPool pool, SnapshotMember[] members, SnapshotPlan plan, string contents, bool isImported)
    {
        _pool = pool;
        _all = members;
        _free = new(members);
        _healer = new(pool, members, plan, contents, Lost);
        Closing = _closing.Token;
        Contents = contents;
        IsImported = isImported;
    }

    public int Count => _all.Length;

    /// <inheritdoc cref="SnapshotGroup.Contents"/>
    public string Contents { get; }

    /// <inheritdoc cref="SnapshotGroup.IsImported"/>
    public bool IsImported { get; }

    /// <inheritdoc cref="SnapshotGroup.ExportedIds"/>
    public IReadOnlyList<string> ExportedIds => IdsOf(_all);

    /// <summary>Cancelled when the group is disposed.</summary>
    public CancellationToken Closing { get; }

    public static IReadOnlyList<string> IdsOf(IEnumerable<SnapshotMember> members) => [.. members.Select(static member => member.ExportedId).OfType<string>()];

    /// <exception cref="SnapshotLostException">The snapshot is lost.</exception>
    /// <exception cref="ObjectDisposedException">The group was disposed.</exception>
    public void ThrowIfClosed() => _free.ThrowIfClosed();

    public SnapshotLostException Lost(Exception? cause) => new(
        $"The snapshot that pool {_pool.Name} held on {_all.Length} {(_all.Length == 1 ? "lease" : "leases")} is lost: every lease's connection broke "
        + "or its transaction was ended, so what the database was at that instant can't be read any more. Run again: that takes a new snapshot.",
        cause);

    /// <inheritdoc cref="FreeMembers.TakeAsync"/>
    public Task<SnapshotMember> TakeAsync(bool aliveOnly, CancellationToken cancellationToken) => _free.TakeAsync(aliveOnly, cancellationToken);

    /// <summary>Gives a member back.</summary>
    public async Task PutAsync(SnapshotMember member)
    {
        if (member.IsBroken)
            member.Forget(member.ExportedId);
        if (!_free.TryPut(member))
            await member.LeaveAsync().ConfigureAwait(false);
    }

    /// <summary>Brings a member that the caller has taken to the beginning of its transaction, on a new lease if need be.</summary>
    /// <param name="member">The member.</param>
    /// <param name="cause">What broke it, if that is known.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>False if it cannot be for now, while others are still in the snapshot.</returns>
    public async Task<bool> TryReadyAsync(SnapshotMember member, Exception? cause, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (member.IsAlive && !member.IsBroken)
        {
            try
            {
                await SnapshotTransaction.EnterAsync(member.Lease, cancellationToken).ConfigureAwait(false);
                return true;
            }
            // Whatever it is: on this lease nobody may read any more.
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                cause = exception;
            }
        }

        try
        {
            return await _healer.TryHealAsync(member, cause, cancellationToken).ConfigureAwait(false);
        }
        catch (SnapshotLostException exception)
        {
            _free.Close(() => new SnapshotLostException(exception.Message, exception.InnerException));
            throw;
        }
    }

    /// <summary>
    /// Looks after the members that nobody has taken, until it is cancelled or the snapshot is lost: one that only holds the snapshot would otherwise
    /// be found dead when it is the last hope. What crosses a firewall, this keeps alive too.
    /// </summary>
    public async Task WatchAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(WatchInterval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                if (_free.TryTake() is not { } member)
                    continue;
                try
                {
                    await TryReadyAsync(member, cause: null, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    await PutAsync(member).ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception) when (exception is SnapshotLostException || cancellationToken.IsCancellationRequested)
        {
            // Whoever needs the snapshot learns of it.
        }
    }

    /// <summary>Returns the leases that are not taken; those that are follow when they are given back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        var free = _free.Dispose(static () => new ObjectDisposedException(nameof(SnapshotGroup)));
        await _closing.CancelAsync().ConfigureAwait(false);
        _closing.Dispose();
        await Task.WhenAll(free.Select(static member => member.LeaveAsync())).ConfigureAwait(false);
    }
}
