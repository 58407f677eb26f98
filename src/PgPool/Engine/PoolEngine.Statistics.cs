namespace PgPool.Engine;

// Looking at it.
internal sealed partial class PoolEngine<T>
{
    public PoolStatistics GetStatistics()
    {
        lock (_lock)
        {
            var now = Clock.Now;
            return new PoolStatistics
            {
                PoolName = _options.PoolName,
                MinSize = _minSize,
                MaxSize = _maxSize,
                Total = Total,
                Idle = _idle.Count,
                Leased = _leased,
                Resetting = _resetting + _checking + _closing,
                Opening = _opening,
                Waiting = _waiters.Count,
                LongestWait = _waiters.Oldest() is { } oldest ? Clock.Span(now - oldest) : TimeSpan.Zero,
                Rented = _totals.Rented,
                Queued = _totals.Queued,
                TimedOut = _totals.TimedOut,
                Rejected = _totals.Rejected,
                Cancelled = _totals.Cancelled,
                TotalWaitTime = Clock.Span(_totals.WaitTicks),
                TotalUseTime = Clock.Span(_totals.UseTicks),
                Opened = _totals.Opened,
                OpenFailed = _totals.OpenFailed,
                Closed = _totals.Closed,
                ClosedByReason = _totals.ClosedByReason(),
                DirtyReturns = _totals.DirtyReturns,
                Abandoned = _totals.Abandoned,
                LastOpenError = _lastOpenError,
            };
        }
    }

    /// <summary>The leases that are out, oldest first.</summary>
    public IReadOnlyList<LeaseInfo> GetLeases()
    {
        lock (_lock)
        {
            var now = Clock.Now;
            return [.. _slots.Where(static slot => slot.State == SlotState.Leased).OrderBy(static slot => slot.LeaseId).Select(slot => Describe(slot, now))];
        }
    }

    private LeaseInfo Describe(Slot<T> slot, long now)
    {
        var heldFor = Clock.Span(now - slot.RentedAt);
        return new LeaseInfo
        {
            Id = slot.LeaseId,
            Label = slot.Request.Label,
            CallSite = slot.Request.CallSite,
            RentedAt = Clock.Provider.GetUtcNow() - heldFor,
            HeldFor = heldFor,
            BackendProcessId = slot.BackendProcessId,
            StackTrace = slot.Request.Details?.StackTrace,
        };
    }
}
