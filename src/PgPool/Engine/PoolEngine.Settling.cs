namespace PgPool.Engine;

// After any change of state: serve who can be served, open what is missing, tell who watches.
internal sealed partial class PoolEngine<T>
{
    /// <summary>Tasks that complete, or fail, with a state of the pool.</summary>
    private readonly List<Watcher> _watchers = [];

    private readonly object _wakeUpLock = new();
    private ITimer? _wakeUp;
    private bool _alarmRuns;
    private long _wakeUpAt = Clock.Never;

    /// <summary>Looks at the whole state again.</summary>
    public void Settle()
    {
        var effects = new Effects<T>();
        lock (_lock)
            Settle(Clock.Now, unmet: 0, ref effects);
        effects.Run(this);
    }

    /// <summary>Has a task complete when the condition, asked under the lock after each change, holds.</summary>
    private Watcher Watch(Func<bool> condition, bool failsWithOpens)
    {
        var watcher = new Watcher(condition, failsWithOpens);
        var effects = new Effects<T>();
        lock (_lock)
        {
            var now = Clock.Now;
            _watchers.Add(watcher);
            if (failsWithOpens)
                _backoff.RetryNow(now);
            Settle(now, unmet: 0, ref effects);
        }
        effects.Run(this);
        return watcher;
    }

    private void Unwatch(Watcher watcher)
    {
        lock (_lock)
            _watchers.Remove(watcher);
    }

    /// <summary>What follows from a change.</summary>
    /// <param name="now">The time of the change.</param>
    /// <param name="unmet">Connections that a rent that could not wait has just not found.</param>
    /// <param name="effects">What is to be done outside the lock.</param>
    private void Settle(long now, int unmet, ref Effects<T> effects)
    {
        ServeWaiters(now, ref effects);
        HastenResets(ref effects);
        OpenWhatIsMissing(now, unmet, ref effects);
        effects.ForBlocked |= _waiters.Blocking > 0;
        for (var i = _watchers.Count - 1; i >= 0; i--)
        {
            if (!_watchers[i].Condition())
                continue;
            effects.Complete(_watchers[i], error: null);
            _watchers.RemoveAt(i);
        }
    }

    private void OpenWhatIsMissing(long now, int unmet, ref Effects<T> effects)
    {
        var lookAgainAt = Clock.Never;
        var opens = _closed ? 0 : MissingOpens(now, unmet, ref lookAgainAt);
        if (opens > 0)
        {
            _opening += opens;
            effects.Opens += opens;
            effects.Generation = _generation;
        }
        // Looked at again when growth or the backoff allows more, or a waiter gives up; every other change looks by itself. A look too early costs
        // less than setting the timer anew with every change.
        lookAgainAt = Math.Min(lookAgainAt, _waiters.EarliestDeadline);
        if (lookAgainAt < _wakeUpAt)
        {
            _wakeUpAt = lookAgainAt;
            effects.WakeChanged = true;
        }
    }

    /// <summary>How many opens to start now.</summary>
    private int MissingOpens(long now, int unmet, ref long lookAgainAt)
    {
        var room = Math.Min(FreePermits, _options.MaxConcurrentOpens - _opening);
        if (room <= 0)
            return 0;

        // While the server is not known to be back nothing is expected of the opens under way: they may hang.
        var expected = _backoff.IsActive ? 0 : _opening;
        var demand = (_suspended ? 0 : _waiters.Demand) + unmet;
        var forRents = demand - expected;
        if (forRents > 0 && !_waiters.IsEmpty && now >= _growth.StallsAt)
        {
            // What is being reset or checked hangs, and what must be checked first may.
            forRents -= _idle.CountFresh(now);
        }
        else if (forRents > 0)
        {
            // What is being reset or checked will be there before an open is.
            forRents -= _idle.Count + _resetting + _checking;
            lookAgainAt = _waiters.IsEmpty ? Clock.Never : _growth.StallsAt;
        }
        var forMinimum = _minSize - Lasting - expected;
        if (forRents > 0 && unmet == 0 && !_growth.Allows(demand, now, ref lookAgainAt))
            forRents = 0;
        var missing = Math.Min(room, Math.Max(forRents, forMinimum));
        if (missing <= 0 || !_backoff.IsActive)
            return Math.Max(missing, 0);

        // After a failure one open probes the server, and another where that hangs. After a refusal for good a rent has it asked at once: it would rather know.
        if (_backoff.RetryAt <= now || (_refusedForGood && forRents > 0 && _opening == 0))
        {
            _backoff.ProbeBegan(now);
            missing = 1;
        }
        else
        {
            missing = 0;
        }
        lookAgainAt = Math.Min(lookAgainAt, _backoff.RetryAt);
        return missing;
    }

    /// <summary>Sets the timer to what the state says now. A lock of its own keeps a late caller from setting it to what the state said before.</summary>
    public void ArmWakeUp(bool forBlocked)
    {
        lock (_wakeUpLock)
        {
            long at;
            lock (_lock)
                at = _wakeUpAt;
            if (_wakeUp is null && at != Clock.Never)
            {
                using (Background.WithoutFlow())
                    _wakeUp = Clock.Provider.CreateTimer(static engine => ((PoolEngine<T>)engine!).WakeUp(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
            _wakeUp?.Change(Clock.Until(at, Clock.Now), Timeout.InfiniteTimeSpan);

            Monitor.Pulse(_wakeUpLock);
            if (forBlocked && Clock.IsSystem && at != Clock.Never && !_alarmRuns)
            {
                _alarmRuns = true;
                Background.Run(forBlocked, static (engine, _) => engine.RunAlarm(), this);
            }
        }
    }

    /// <summary>
    /// Looks again in time while blocked threads wait: the timer's callback needs a thread of the thread pool, and they may have them all.
    /// </summary>
    private void RunAlarm()
    {
        while (true)
        {
            lock (_wakeUpLock)
            {
                long at;
                lock (_lock)
                    at = _waiters.Blocking > 0 ? _wakeUpAt : Clock.Never;
                if (at == Clock.Never)
                {
                    _alarmRuns = false;
                    return;
                }
                var left = Clock.Until(at, Clock.Now);
                if (left > TimeSpan.Zero)
                {
                    Monitor.Wait(_wakeUpLock, left);
                    continue;
                }
            }
            WakeUp();
        }
    }

    private void WakeUp()
    {
        var effects = new Effects<T>();
        lock (_lock)
        {
            var now = Clock.Now;
            _wakeUpAt = Clock.Never;
            while (_waiters.FirstPassed(now) is { } waiter)
                Refuse(waiter, RentOutcome.TimedOut, now, ref effects);
            Settle(now, unmet: 0, ref effects);
        }
        effects.Run(this);
    }
}
