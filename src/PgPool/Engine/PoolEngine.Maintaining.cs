namespace PgPool.Engine;

// What is done from time to time: connections that grow old or idle, and leases that stay out for long.
internal sealed partial class PoolEngine<T>
{
    private static readonly TimeSpan LongestRenewalLead = TimeSpan.FromSeconds(10);

    private readonly Maintenance<T> _maintenance;
    private readonly long _renewalLead;

    /// <summary>A keep-alive ping is under way.</summary>
    private bool _keepsAlive;

    public void Maintain()
    {
        // Their sentinels have told of most already; this is for finalizers that are late.
        TakeBackAbandoned();
        var effects = new Effects<T>();
        List<LeaseInfo>? longLeases = null;
        lock (_lock)
        {
            var now = Clock.Now;
            MarkAging(now);
            for (Slot<T>? slot = _idle.Oldest, newer; slot is not null; slot = newer)
            {
                newer = slot.Newer;
                if (slot.ExpiresAt <= now)
                    Retire(slot, CloseReason.MaxLifetime, ref effects);
                else if ((slot.IsAging ? Staying : Lasting) > _minSize && IsPast(slot.UsedAt, _options.IdleTimeout, now))
                    Retire(slot, CloseReason.IdleTimeout, ref effects);
                // The dead among the suspect ones are replaced before somebody needs them.
                else if (IsSuspect(slot))
                    BeginCheck(slot, ref effects);
            }
            KeepAlive(now, ref effects);
            foreach (var slot in _slots.Where(static slot => slot is { State: SlotState.Leased, WarnedOfLongLease: false }))
            {
                if (!IsPast(slot.RentedAt, _options.LeaseWarningAfter, now))
                    continue;
                slot.WarnedOfLongLease = true;
                (longLeases ??= []).Add(Describe(slot, now));
            }
            Settle(now, unmet: 0, ref effects);
        }
        effects.Run(this);
        longLeases?.ForEach(_events.LongLease);
    }

    /// <summary>How long before its end a connection is replaced. A quarter: of lifetimes of 200 ms and more, a round of maintenance falls into it.</summary>
    private static TimeSpan RenewalLead(TimeSpan maxLifetime)
        => maxLifetime == Timeout.InfiniteTimeSpan || maxLifetime / 4 > LongestRenewalLead ? LongestRenewalLead : maxLifetime / 4;

    /// <summary>Connections near their end no longer count for the minimum: so their replacements are there before they go.</summary>
    private void MarkAging(long now)
    {
        foreach (var slot in _slots.Where(slot => !slot.IsAging && IsStaying(slot) && slot.ExpiresAt - _renewalLead <= now))
        {
            slot.IsAging = true;
            _aging++;
        }
    }

    /// <summary>Has the longest idle one that is due pinged. One at a time: a renter finds the others meanwhile.</summary>
    private void KeepAlive(long now, ref Effects<T> effects)
    {
        if (_keepsAlive)
            return;
        for (var slot = _idle.Oldest; slot is not null; slot = slot.Newer)
        {
            if (!IsPast(slot.AliveAt, _options.KeepAliveInterval, now))
                continue;
            _keepsAlive = slot.IsKeptAlive = true;
            BeginCheck(slot, ref effects);
            return;
        }
    }

    private static bool IsStaying(Slot<T> slot) => slot.State is not (SlotState.Closing or SlotState.Closed);

    private bool IsPast(long since, TimeSpan span, long now) => Clock.After(since, Clock.Ticks(span)) <= now;
}
