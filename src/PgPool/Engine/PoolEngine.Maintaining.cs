namespace PgPool.Engine;

// One round of maintenance.
internal sealed partial class PoolEngine<T>
{
    private readonly Maintenance<T> _maintenance;

    public void Maintain()
    {
        var effects = new Effects<T>();
        List<RentRequest>? abandoned = null;
        List<LeaseInfo>? longLeases = null;
        lock (_lock)
        {
            var now = Clock.Now;
            for (Slot<T>? slot = _idle.Oldest, newer; slot is not null; slot = newer)
            {
                newer = slot.Newer;
                if (slot.ExpiresAt <= now)
                    Retire(slot, CloseReason.MaxLifetime, ref effects);
                else if (Staying > _minSize && IsPast(slot.UsedAt, _options.IdleTimeout, now))
                    Retire(slot, CloseReason.IdleTimeout, ref effects);
                else if (IsPast(slot.AliveAt, _options.KeepAliveInterval, now))
                    BeginCheck(slot, ref effects);
            }
            foreach (var slot in _slots.Where(static slot => slot.State == SlotState.Leased))
            {
                if (!slot.TryReach(out _))
                {
                    (abandoned ??= []).Add(slot.Request);
                    _totals.Abandoned++;
                    TakeBack(slot, connection: null, now);
                    BeginClose(slot, CloseReason.Abandoned, ref effects);
                }
                else if (!slot.WarnedOfLongLease && IsPast(slot.RentedAt, _options.LeaseWarningAfter, now))
                {
                    slot.WarnedOfLongLease = true;
                    (longLeases ??= []).Add(Describe(slot, now));
                }
            }
            Settle(now, unmet: 0, ref effects);
        }
        effects.Run(this);
        abandoned?.ForEach(_events.Abandoned);
        longLeases?.ForEach(_events.LongLease);
    }

    private bool IsPast(long since, TimeSpan span, long now) => Clock.After(since, Clock.Ticks(span)) <= now;
}
