namespace PgPool.Engine;

// Resets: a session that comes back used is cleaned before it is lent again.
internal sealed partial class PoolEngine<T>
{
    /// <summary>Sessions whose reset begins when their renter's thread is free, or somebody waits.</summary>
    private readonly List<Slot<T>> _resetLater = [];

    private void Reset(Slot<T> slot, bool async)
    {
        // Nobody waits for it: what the renter does next reaches the server first.
        if (async && _driver.MayResetLater(slot.Connection!) && TryDeferReset(slot))
            ThreadPool.UnsafeQueueUserWorkItem(static reset => reset.Engine.ResetDeferred(reset.Slot), (Engine: this, Slot: slot), preferLocal: true);
        else
            BeginReset(slot, async);
    }

    private bool TryDeferReset(Slot<T> slot)
    {
        lock (_lock)
        {
            if (!_waiters.IsEmpty)
                return false;
            _resetLater.Add(slot);
            return true;
        }
    }

    private void ResetDeferred(Slot<T> slot)
    {
        lock (_lock)
        {
            // Somebody came to wait, and had it begun.
            if (!_resetLater.Remove(slot))
                return;
        }
        _ = ResetAsync(slot, async: true);
    }

    /// <summary>Whoever waits must not wait for a thread that may not be free for long.</summary>
    private void HastenResets(ref Effects<T> effects)
    {
        if (_resetLater.Count == 0 || _waiters.IsEmpty)
            return;
        foreach (var slot in _resetLater)
            effects.Reset(slot);
        _resetLater.Clear();
    }

    public void StartReset(Slot<T> slot, bool forBlocked)
    {
        if (forBlocked)
            Background.Run(forBlocked, static (reset, async) => _ = reset.Engine.ResetAsync(reset.Slot, async), (Engine: this, Slot: slot));
        else
            BeginReset(slot, async: true);
    }

    private void BeginReset(Slot<T> slot, bool async)
    {
        // What the reset sets off must not run in the renter's flow.
        using (Background.WithoutFlow())
            _ = ResetAsync(slot, async);
    }

    private async Task ResetAsync(Slot<T> slot, bool async)
    {
        var startedAt = Clock.Now;
        ResetVerdict verdict;
        try
        {
            verdict = await _driver.ResetAsync(slot.Connection!, async, _severing.Token).ConfigureAwait(false);
        }
        // The place must come back, whatever happens.
        catch (Exception exception)
        {
            verdict = new ResetVerdict(CloseReason.ResetFailed, Error: exception);
        }
        FinishReset(slot, verdict, startedAt, async);
    }

    private void FinishReset(Slot<T> slot, in ResetVerdict verdict, long startedAt, bool async)
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
                slot.Answered(now);
            if (verdict.ServerIsSuspect)
                Suspect();
            if ((verdict.Retire ?? ReasonNotToKeep(slot, now)) is { } reason)
            {
                BeginClose(slot, reason, ref effects);
                Settle(now, unmet: 0, ref effects);
            }
            else
            {
                // It was used until just now, be it that the reset had nothing to ask the server.
                MakeIdle(slot, now, freshFrom: verdict.AnsweredNow ? now : slot.UsedAt, ref effects);
            }
        }
        effects.Run(this);
        // Told last: a log that throws must not cost the pool a place.
        if (verdict.Retire is null)
            _events.Reset(Clock.Span(Clock.Now - startedAt));
        if (verdict.WasDirty || verdict.Retire is not null)
            _events.DirtyReturn(request, slot.BackendProcessId, verdict);
    }
}
