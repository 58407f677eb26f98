namespace PgPool.Engine;

// The pool as a whole: its bounds, its pauses, its end.
internal sealed partial class PoolEngine<T>
{
    /// <summary>Cancelled when the leases are severed. Never disposed: a late reset may still look at it, and without a timer it holds nothing.</summary>
    private readonly CancellationTokenSource _severing = new();

    public void Resize(int minSize, int maxSize)
    {
        var effects = new Effects<T>();
        lock (_lock)
        {
            _minSize = minSize;
            _maxSize = maxSize;
            // A group that needs more than there can ever be again would wait for ever, and all behind it.
            while (_waiters.FirstWhere(waiter => waiter.Need > maxSize) is { } waiter)
                Refuse(waiter, RentOutcome.TooManyForPool, Clock.Now, ref effects);
            while (FreePermits + _closing < 0 && _idle.Oldest is { } slot)
                Retire(slot, CloseReason.Resized, ref effects);
            Settle(Clock.Now, unmet: 0, ref effects);
        }
        effects.Run(this);
    }

    /// <summary>Makes every connection of today one of yesterday, those being opened too.</summary>
    public void Clear()
    {
        var effects = new Effects<T>();
        lock (_lock)
        {
            _generation++;
            RetireIdle(CloseReason.Cleared, ref effects);
            Settle(Clock.Now, unmet: 0, ref effects);
        }
        effects.Run(this);
    }

    public void Suspend(bool suspended)
    {
        var effects = new Effects<T>();
        lock (_lock)
        {
            _suspended = suspended;
            _lending = !suspended && !_closed;
            Settle(Clock.Now, unmet: 0, ref effects);
        }
        effects.Run(this);
    }

    /// <summary>Completes when as many connections exist as there should be at least; with the error when the server refuses for good.</summary>
    public Task<Exception?> WarmUpAsync(CancellationToken cancellationToken)
        => WhenAsync(() => Staying >= _minSize || _closed, failsWithOpens: true, cancellationToken);

    /// <summary>Completes when nothing is lent and nothing that was lent is still being cleaned or ended.</summary>
    public Task WaitUntilIdleAsync(CancellationToken cancellationToken)
        => WhenAsync(() => _leased == 0 && _resetting == 0 && _closing == 0, failsWithOpens: false, cancellationToken);

    /// <summary>Refuses waiters and new rents, and retires what is idle. The rest goes as it comes back.</summary>
    /// <param name="closeHere">Whether to close the idle connections on this thread, before this returns.</param>
    /// <returns>False when the pool was closed already.</returns>
    public bool Shutdown(bool closeHere)
    {
        var effects = new Effects<T> { CloseHere = closeHere };
        lock (_lock)
        {
            if (_closed)
                return false;
            _closed = true;
            _lending = false;
            while (_waiters.Head is { } waiter)
                Refuse(waiter, RentOutcome.PoolClosed, Clock.Now, ref effects);
            RetireIdle(CloseReason.PoolClosed, ref effects);
            Settle(Clock.Now, unmet: 0, ref effects);
        }
        effects.Run(this);
        try
        {
            _stopping.Cancel();
        }
        catch (AggregateException)
        {
            // A hook's own callback on its token threw: nothing of that may keep the pool from closing.
        }
        return true;
    }

    /// <summary>Completes when no connection exists or is being opened any more.</summary>
    public Task WhenGoneAsync() => WhenAsync(() => _closed && Total == 0 && _opening == 0, failsWithOpens: false, CancellationToken.None);

    /// <summary>Completes when the connections that were idle when the pool closed are gone.</summary>
    public Task WhenIdleOnesAreGoneAsync() => WhenAsync(
        () => _closed && _checking == 0 && !_slots.Exists(static slot => slot is { State: SlotState.Closing, ClosesFromIdle: true }), failsWithOpens: false, CancellationToken.None);

    /// <summary>Closes the connections that are lent, under their leases, and waits for nobody's transaction any longer.</summary>
    public void SeverLeases()
    {
        _severing.Cancel();
        var effects = new Effects<T>();
        lock (_lock)
        {
            var now = Clock.Now;
            foreach (var slot in _slots.Where(static slot => slot.State == SlotState.Leased))
            {
                slot.TryReach(out var connection);
                TakeBack(slot, connection, now);
                BeginClose(slot, CloseReason.PoolClosed, ref effects);
            }
            Settle(now, unmet: 0, ref effects);
        }
        effects.Run(this);
    }

    /// <summary>Stops what outlives a lease: timers. For when the last connection is gone.</summary>
    public void Dispose()
    {
        _maintenance.Dispose();
        lock (_wakeUpLock)
            _wakeUp?.Dispose();
        _stopping.Dispose();
    }

    private void RetireIdle(CloseReason reason, ref Effects<T> effects)
    {
        while (_idle.Oldest is { } slot)
            Retire(slot, reason, ref effects);
    }

    private async Task<Exception?> WhenAsync(Func<bool> condition, bool failsWithOpens, CancellationToken cancellationToken)
    {
        var watcher = Watch(condition, failsWithOpens);
        try
        {
            return await watcher.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (!watcher.Task.IsCompleted)
                Unwatch(watcher);
        }
    }
}
