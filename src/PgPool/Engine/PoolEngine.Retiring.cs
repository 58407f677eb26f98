namespace PgPool.Engine;

// Connections are checked, and go. A permit comes back when the connection is gone, not when that is decided.
internal sealed partial class PoolEngine<T>
{
    /// <summary>Takes an idle connection out of the store, to be pinged.</summary>
    private void BeginCheck(Slot<T> slot, ref Effects<T> effects)
    {
        TakeForCheck(slot);
        effects.Check(slot);
    }

    private void TakeForCheck(Slot<T> slot)
    {
        _idle.Remove(slot);
        slot.State = SlotState.Checking;
        slot.Asked(_suspicions);
        _checking++;
    }

    /// <summary>Pings a connection: from here with asynchronous I/O, or, when a blocked thread waits, on a thread of its own.</summary>
    public void StartCheck(Slot<T> slot, bool forBlocked)
    {
        if (forBlocked)
        {
            Background.Run(forBlocked, static (start, async) => _ = start.Engine.CheckAsync(start.Slot, async), (Engine: this, Slot: slot));
            return;
        }
        using (Background.WithoutFlow())
            _ = CheckAsync(slot, async: true);
    }

    private async Task<bool> CheckAsync(Slot<T> slot, bool async)
    {
        bool alive;
        try
        {
            alive = await _driver.ValidateAsync(slot.Connection!, async).ConfigureAwait(false);
        }
        // The place must come back, whatever happens.
        catch (Exception)
        {
            alive = false;
        }
        var effects = new Effects<T>();
        lock (_lock)
        {
            var now = Clock.Now;
            _checking--;
            if (alive)
                slot.Answered(now);
            else
                Suspect();
            if ((alive ? ReasonNotToKeep(slot, now) : CloseReason.ValidationFailed) is { } reason)
            {
                slot.ClosesFromIdle = true;
                BeginClose(slot, reason, ref effects);
            }
            else
            {
                AddIdle(slot, freshFrom: now);
            }
            if (slot.IsKeptAlive)
            {
                _keepsAlive = slot.IsKeptAlive = false;
                KeepAlive(now, ref effects);
            }
            Settle(now, unmet: 0, ref effects);
        }
        effects.Run(this);
        return alive;
    }

    /// <summary>Pings every idle connection; completes with the number of dead ones.</summary>
    public async Task<int> CheckIdleAsync(CancellationToken cancellationToken)
    {
        var slots = new List<Slot<T>>();
        lock (_lock)
        {
            while (_idle.Oldest is { } slot)
            {
                TakeForCheck(slot);
                slots.Add(slot);
            }
        }
        Task<bool>[] checks;
        using (Background.WithoutFlow())
            checks = [.. slots.Select(slot => CheckAsync(slot, async: true))];
        var alive = await Task.WhenAll(checks).WaitAsync(cancellationToken).ConfigureAwait(false);
        return alive.Count(static isAlive => !isAlive);
    }

    /// <summary>Takes an idle connection out of the store, to be closed.</summary>
    private void Retire(Slot<T> slot, CloseReason reason, ref Effects<T> effects)
    {
        _idle.Remove(slot);
        slot.ClosesFromIdle = true;
        BeginClose(slot, reason, ref effects);
    }

    private void BeginClose(Slot<T> slot, CloseReason reason, ref Effects<T> effects)
    {
        slot.State = SlotState.Closing;
        slot.CloseReason = reason;
        _closing++;
        if (slot.IsAging)
            _aging--;
        effects.Close(slot);
    }

    /// <summary>Closes a connection in the background, as a close never takes a renter's time, or on a thread that wants to wait for it.</summary>
    public void StartClose(Slot<T> slot, bool forBlocked, bool here)
    {
        if (here)
            _ = CloseAsync(slot, async: false);
        else
            Background.Run(forBlocked, static (start, async) => _ = start.Engine.CloseAsync(start.Slot, async), (Engine: this, Slot: slot));
    }

    private async Task CloseAsync(Slot<T> slot, bool async)
    {
        try
        {
            if (slot.TryReach(out var connection))
            {
                StopWatchingForDrop(connection!);
                await _driver.CloseAsync(connection!, async, _severing.Token).ConfigureAwait(false);
            }
        }
        // The place must come back, whatever happens.
        catch (Exception)
        {
        }
        var effects = new Effects<T>();
        lock (_lock)
        {
            _closing--;
            slot.Connection = null;
            Forget(slot);
            Settle(Clock.Now, unmet: 0, ref effects);
        }
        effects.Run(this);
        _events.Closed(slot.BackendProcessId, slot.CloseReason, slot.DiscardReason);
    }

    /// <summary>The place is empty: its permit is free.</summary>
    private void Forget(Slot<T> slot)
    {
        slot.State = SlotState.Closed;
        var last = _slots[^1];
        _slots[slot.Index] = last;
        last.Index = slot.Index;
        _slots.RemoveAt(_slots.Count - 1);
        _totals.Close(slot.CloseReason);
    }
}
