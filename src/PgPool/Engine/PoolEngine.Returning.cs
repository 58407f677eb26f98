namespace PgPool.Engine;

// Returns: the untouched connection goes straight back, a used one is reset first, one that is not to stay is closed.
internal sealed partial class PoolEngine<T>
{
    private readonly long _validateAfterIdle;
    private readonly long _maxLifetime;

    /// <summary>Takes a connection back.</summary>
    /// <param name="loan">What was lent. A loan that the pool has taken back by itself is ignored.</param>
    /// <param name="touched">Whether the user could have done anything to it.</param>
    /// <param name="async">Whether to reset it in the background, or on this thread.</param>
    public void Return(in Loan<T> loan, bool touched, bool async)
    {
        if (touched || !TryPutBack(loan))
            ReturnByState(loan, touched, async);
    }

    /// <summary>The fast path: an untouched connection goes back when nobody waits for it and nothing speaks against it.</summary>
    private bool TryPutBack(in Loan<T> loan)
    {
        var slot = loan.Slot;
        var now = Clock.Now;
        long heldFor;
        lock (_lock)
        {
            if (slot.State != SlotState.Leased || slot.LeaseId != loan.LeaseId
                || !_waiters.IsEmpty || _watchers.Count > 0 || slot.WarnedOfLongLease || ReasonNotToKeep(slot, now) is not null)
            {
                return false;
            }
            heldFor = TakeBack(slot, loan.Connection, now);
            AddIdle(slot, freshFrom: slot.AliveAt);
        }
        TellUse(heldFor);
        return true;
    }

    private void ReturnByState(in Loan<T> loan, bool touched, bool async)
    {
        var slot = loan.Slot;
        var effects = new Effects<T> { ForBlocked = !async };
        var needsReset = false;
        if (touched)
            _driver.Returning(loan.Connection);
        long heldFor;
        LeaseInfo? longLease = null;
        lock (_lock)
        {
            if (slot.State != SlotState.Leased || slot.LeaseId != loan.LeaseId)
                return;
            var now = Clock.Now;
            if (slot.WarnedOfLongLease)
                longLease = Describe(slot, now);
            heldFor = TakeBack(slot, loan.Connection, now);
            if (ReasonNotToKeep(slot, now) is { } reason)
            {
                BeginClose(slot, reason, ref effects);
                Settle(now, unmet: 0, ref effects);
            }
            else if (touched)
            {
                slot.State = SlotState.Resetting;
                slot.Asked(_suspicions);
                _resetting++;
                needsReset = true;
            }
            else
            {
                MakeIdle(slot, now, freshFrom: slot.AliveAt, ref effects);
            }
        }
        effects.Run(this);
        if (needsReset)
            Reset(slot, async);
        TellUse(heldFor);
        if (longLease is not null)
            _events.LongLeaseReturned(longLease);
    }

    private void TellUse(long heldFor)
    {
        if (_events.TimesUse)
            _events.Used(Clock.Span(heldFor));
    }

    /// <summary>Takes back what was lent to a renter that never saw it.</summary>
    public void GiveBack(in RentResult<T> result)
    {
        foreach (var loan in result.Group ?? [result.Loan])
            Return(loan, touched: false, async: false);
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

    /// <returns>How long it was lent.</returns>
    private long TakeBack(Slot<T> slot, T? connection, long now)
    {
        var heldFor = now - slot.RentedAt;
        _leased--;
        _totals.UseTicks += heldFor;
        slot.Connection = connection;
        slot.UsedAt = now;
        slot.Request.Details?.Flow?.Returned();
        return heldFor;
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

    /// <summary>Puts a returned connection into the idle store, from where a waiter gets it at once.</summary>
    private void MakeIdle(Slot<T> slot, long now, long freshFrom, ref Effects<T> effects)
    {
        AddIdle(slot, freshFrom);
        if (_waiters.IsEmpty && _watchers.Count == 0)
            return;
        if (!_waiters.IsEmpty)
            _growth.Served(now);
        Settle(now, unmet: 0, ref effects);
    }

    private void AddIdle(Slot<T> slot, long freshFrom)
    {
        slot.FreshUntil = IsSuspect(slot) ? long.MinValue : Math.Min(slot.ExpiresAt, Clock.After(freshFrom, _validateAfterIdle));
        _idle.Add(slot);
    }
}
