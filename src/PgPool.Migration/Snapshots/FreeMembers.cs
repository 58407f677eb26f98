namespace PgPool.Migration.Snapshots;

/// <summary>The members that nobody has taken, and those who wait for one, first come, first served.</summary>
/// <param name="all">All members of the group, free at first.</param>
internal sealed class FreeMembers(IReadOnlyList<SnapshotMember> all)
{
    private readonly Lock _lock = new();
    private readonly List<SnapshotMember> _free = [.. all];
    private readonly List<Waiter> _waiters = [];
    private Func<Exception>? _reason;
    private bool _takesNoneBack;

    public void ThrowIfClosed()
    {
        lock (_lock)
        {
            if (_reason is not null)
                throw _reason();
        }
    }

    /// <summary>Takes a member that is alive if one is free, else one to be healed.</summary>
    /// <param name="aliveOnly">Rather wait for one that is alive, while there are any.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<SnapshotMember> TakeAsync(bool aliveOnly, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_lock)
        {
            if (_reason is not null)
                throw _reason();
            cancellationToken.ThrowIfCancellationRequested();
            var member = _free.Find(static member => member.IsAlive) ?? _free.Find(member => Suits(member, aliveOnly));
            if (member is not null)
            {
                _free.Remove(member);
                return member;
            }

            waiter = new Waiter(aliveOnly);
            _waiters.Add(waiter);
        }

        // Outside of the lock: it may run at once.
        var registration = cancellationToken.Register(() => GiveUp(waiter, cancellationToken));
        await using (registration.ConfigureAwait(false))
            return await waiter.Task.ConfigureAwait(false);
    }

    /// <summary>Takes the member that has been free for longest, if one is and nobody waits for it.</summary>
    public SnapshotMember? TryTake()
    {
        lock (_lock)
        {
            if (_reason is not null || _free is not [var member, ..])
                return null;
            _free.RemoveAt(0);
            return member;
        }
    }

    /// <returns>False if the group is disposed and the member not taken back.</returns>
    public bool TryPut(SnapshotMember member)
    {
        lock (_lock)
        {
            if (_takesNoneBack)
                return false;
            var waiter = _waiters.Find(waiter => Suits(member, waiter.AliveOnly));
            if (waiter is null)
            {
                _free.Add(member);
            }
            else
            {
                _waiters.Remove(waiter);
                waiter.SetResult(member);
            }

            return true;
        }
    }

    /// <summary>From now on nobody gets a member; who waits fails at once.</summary>
    /// <param name="reason">Makes what they get instead, unless there was a reason before.</param>
    public void Close(Func<Exception> reason)
    {
        lock (_lock)
            Fail(_reason ?? reason);
    }

    /// <summary>As <see cref="Close"/>, and none is taken back any more.</summary>
    /// <returns>Those that were free.</returns>
    public IReadOnlyList<SnapshotMember> Dispose(Func<Exception> reason)
    {
        lock (_lock)
        {
            Fail(reason);
            _takesNoneBack = true;
            SnapshotMember[] members = [.. _free];
            _free.Clear();
            return members;
        }
    }

    private void Fail(Func<Exception> reason)
    {
        _reason = reason;
        foreach (var waiter in _waiters)
            waiter.SetException(reason());
        _waiters.Clear();
    }

    // Where none is alive there is no other to wait for: who gets this one learns that the snapshot is lost, or finds it elsewhere.
    private bool Suits(SnapshotMember member, bool aliveOnly) => !aliveOnly || member.IsAlive || !all.Any(static other => other.IsAlive);

    private void GiveUp(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_waiters.Remove(waiter))
                waiter.SetCanceled(cancellationToken);
        }
    }

    // Continuations do not run where it is completed: that is under the lock.
    private sealed class Waiter(bool aliveOnly) : TaskCompletionSource<SnapshotMember>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public bool AliveOnly => aliveOnly;
    }
}
