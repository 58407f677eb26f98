namespace PgPool.Engine;

// Returns: the untouched connection goes straight back, a used one is reset first, one that is not to stay is closed.
internal sealed partial class PoolEngine<T>
{
    private readonly long _validateAfterIdle;
    private readonly long _maxLifetime;

    /// <summary>Connections that have not answered since are checked before they are lent.</summary>
    private long _suspectedAt = long.MinValue;

    /// <summary>Takes a connection back.</summary>
    /// <param name="loan">What was lent. A loan that the pool has taken back by itself is ignored.</param>
    /// <param name="touched">Whether the user could have done anything to it.</param>
    /// <param name="async">Whether to reset it in the background, or on this thread.</param>
    public void Return(in Loan<T> loan, bool touched, bool async)
    {
        var slot = loan.Slot;
        var effects = new Effects<T> { ForBlocked = !async };
        var needsReset = false;
        lock (_lock)
        {
            if (slot.State != SlotState.Leased || slot.LeaseId != loan.LeaseId)
                return;
            var now = Clock.Now;
            TakeBack(slot, loan.Connection, now);
            if (ReasonNotToKeep(slot, now) is { } reason)
            {
                BeginClose(slot, reason, ref effects);
                Settle(now, unmet: 0, ref effects);
            }
            else if (touched)
            {
                slot.State = SlotState.Resetting;
                _resetting++;
                needsReset = true;
            }
            else
            {
                MakeIdle(slot, now, ref effects);
            }
        }
        effects.Run(this);
        if (needsReset)
            Reset(slot, async);
    }

    /// <summary>Marks a lent connection as not to be reused.</summary>
    public void Discard(in Loan<T> loan, string? reason)
    {
        lock (_lock)
        {
            if (loan.Slot.State != SlotState.Leased || loan.Slot.LeaseId != loan.LeaseId)
                return;
            loan.Slot.IsDiscarded = true;
            loan.Slot.DiscardReason = reason;
        }
    }

    private void TakeBack(Slot<T> slot, T? connection, long now)
    {
        _leased--;
        _totals.UseTicks += now - slot.RentedAt;
        slot.Connection = connection;
        slot.UsedAt = now;
        slot.Request.Details?.Flow?.Returned();
    }

    private CloseReason? ReasonNotToKeep(Slot<T> slot, long now)
    {
        if (_closed)
            return CloseReason.PoolClosed;
        if (slot.IsDiscarded)
            return CloseReason.Discarded;
        if (slot.Generation != _generation)
            return CloseReason.Cleared;
        if (slot.ExpiresAt <= now)
            return CloseReason.MaxLifetime;
        return FreePermits + _closing < 0 ? CloseReason.Resized : null;
    }

    private void Reset(Slot<T> slot, bool async)
    {
        ValueTask<ResetVerdict> reset;
        // What the reset sets off must not run in the renter's flow. It starts on this thread: usually its command is sent by the time this returns.
        using (Background.WithoutFlow())
            reset = _driver.ResetAsync(slot.Connection!, async);
        if (reset.IsCompleted)
            FinishReset(slot, reset.GetAwaiter().GetResult(), async);
        else
            _ = FinishResetAsync(slot, reset);
    }

    private async Task FinishResetAsync(Slot<T> slot, ValueTask<ResetVerdict> reset)
        => FinishReset(slot, await reset.ConfigureAwait(false), async: true);

    private void FinishReset(Slot<T> slot, in ResetVerdict verdict, bool async)
    {
        var request = slot.Request;
        var effects = new Effects<T> { ForBlocked = !async };
        lock (_lock)
        {
            var now = Clock.Now;
            _resetting--;
            if (verdict.WasDirty)
                _totals.DirtyReturns++;
            if (verdict.AnsweredNow)
                slot.AliveAt = now;
            if (verdict.Retire is CloseReason.Broken or CloseReason.ResetFailed)
                Suspect(now);
            if ((verdict.Retire ?? ReasonNotToKeep(slot, now)) is { } reason)
            {
                BeginClose(slot, reason, ref effects);
                Settle(now, unmet: 0, ref effects);
            }
            else
            {
                MakeIdle(slot, now, ref effects);
            }
        }
        effects.Run(this);
        // Told last: a log that throws must not cost the pool a place.
        if (verdict.WasDirty || verdict.Retire is not null)
            _events.DirtyReturn(request, slot.BackendProcessId, verdict);
    }

    /// <summary>Puts a connection that may be lent into the idle store, from where a waiter gets it at once.</summary>
    private void MakeIdle(Slot<T> slot, long now, ref Effects<T> effects)
    {
        slot.FreshUntil = slot.AliveAt > _suspectedAt ? Math.Min(slot.ExpiresAt, Clock.After(slot.AliveAt, _validateAfterIdle)) : long.MinValue;
        _idle.Add(slot);
        if (_waiters.IsEmpty && _watchers.Count == 0)
            return;
        if (!_waiters.IsEmpty)
            _growth.Served(now);
        Settle(now, unmet: 0, ref effects);
    }

    /// <summary>A connection failed in a way that says something of the server: all that have not answered since must, before they are lent.</summary>
    private void Suspect(long now)
    {
        _suspectedAt = now;
        for (var slot = _idle.Newest; slot is not null; slot = slot.Older)
            slot.FreshUntil = long.MinValue;
    }
}
