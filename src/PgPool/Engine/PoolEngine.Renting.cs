namespace PgPool.Engine;

// Rents: the fast path, the queue, and what ends a wait.
internal sealed partial class PoolEngine<T>
{
    /// <summary>
    /// How recently the server must have answered where <see cref="EngineOptions.ValidateAfterIdle"/> is shorter. For a rent that may not wait:
    /// it cannot wait for a ping, and with none at all it would never succeed. And for one that waits for several connections, whose pings do not
    /// end together: those that answered since it came need not answer again.
    /// </summary>
    private static readonly TimeSpan RecentEnough = TimeSpan.FromSeconds(1);

    /// <summary>The fast path: lends an idle connection when nobody waits and it needs no check.</summary>
    public bool TryLend(in RentRequest request, out Loan<T> loan)
    {
        var now = Clock.Now;
        lock (_lock)
        {
            if (_lending && _waiters.IsEmpty && _idle.First is { } slot && now <= slot.FreshUntil)
            {
                loan = Lend(slot, request, now);
                return true;
            }
        }
        loan = default;
        return false;
    }

    /// <summary>A rent that may not wait. Finding nothing, it has the pool open or check a connection for the next one that asks.</summary>
    /// <param name="request">Who rents.</param>
    /// <param name="need">How many connections.</param>
    /// <param name="otherwise">How it ends when it finds nothing: timed out, or the queue is full.</param>
    public RentResult<T> RentNow(in RentRequest request, int need, RentOutcome otherwise)
    {
        var effects = new Effects<T>();
        RentResult<T> result;
        lock (_lock)
        {
            var now = Clock.Now;
            var unmet = 0;
            if (_lending && _waiters.IsEmpty && CollectFresh(need, now, now - Clock.Ticks(RecentEnough), ref effects) is { } slots)
            {
                result = Lend(slots, request, now, TimeSpan.Zero);
            }
            else
            {
                result = new RentResult<T>(_closed ? RentOutcome.PoolClosed : otherwise, default, null, null, TimeSpan.Zero);
                unmet = _closed ? 0 : need;
                Count(result.Outcome);
            }
            Settle(now, unmet, ref effects);
        }
        effects.Run(this);
        return result;
    }

    /// <summary>A rent that waits for its turn.</summary>
    public ValueTask<RentResult<T>> RentAsync(in RentRequest request, int need, RentPriority priority, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (timeout == TimeSpan.Zero || _options.MaxWaiting == 0)
            return new(RentNow(request, need, timeout == TimeSpan.Zero ? RentOutcome.TimedOut : RentOutcome.QueueFull));
        var waiter = _waiterPools.Async.Get();
        Enqueue(waiter, request, need, priority, timeout);
        return waiter.WaitAsync(cancellationToken);
    }

    /// <summary>A rent that blocks its thread until its turn.</summary>
    public RentResult<T> Rent(in RentRequest request, int need, RentPriority priority, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (timeout == TimeSpan.Zero || _options.MaxWaiting == 0)
            return RentNow(request, need, timeout == TimeSpan.Zero ? RentOutcome.TimedOut : RentOutcome.QueueFull);
        var waiter = _waiterPools.Blocking.Get();
        Enqueue(waiter, request, need, priority, timeout);
        return waiter.Wait(cancellationToken);
    }

    /// <summary>Ends the wait of a waiter whose deadline has passed.</summary>
    /// <param name="waiter">The waiter; it may be settled.</param>
    /// <param name="notBefore">When it is to be expired, if it still waits; otherwise never.</param>
    public void Expire(Waiter<T> waiter, out long notBefore) => GiveUp(waiter, RentOutcome.TimedOut, out notBefore);

    /// <summary>Ends the wait of a waiter whose token was cancelled.</summary>
    public void Cancel(Waiter<T> waiter) => GiveUp(waiter, RentOutcome.Cancelled, out _);

    private void GiveUp(Waiter<T> waiter, RentOutcome outcome, out long notBefore)
    {
        var effects = new Effects<T>();
        lock (_lock)
        {
            var now = Clock.Now;
            notBefore = waiter.IsQueued ? waiter.Deadline : Clock.Never;
            if (!waiter.IsQueued || (outcome == RentOutcome.TimedOut && notBefore > now))
                return;
            notBefore = Clock.Never;
            Refuse(waiter, outcome, now, ref effects);
            // Behind a group that gave up, others may be served by what was kept for it.
            Settle(now, unmet: 0, ref effects);
        }
        effects.Run(this);
    }

    private void Enqueue(Waiter<T> waiter, in RentRequest request, int need, RentPriority priority, TimeSpan timeout)
    {
        var effects = new Effects<T>();
        lock (_lock)
        {
            var now = Clock.Now;
            waiter.Prepare(request, need, priority, now, Clock.After(now, Clock.Ticks(timeout)));
            if (_waiters.IsEmpty)
                _growth.QueueBegan(now);
            _waiters.Enqueue(waiter);
            if (_closed)
                Refuse(waiter, RentOutcome.PoolClosed, now, ref effects);
            else if (need > _maxSize)
                Refuse(waiter, RentOutcome.TooManyForPool, now, ref effects);
            else
                Settle(now, unmet: 0, ref effects);

            waiter.HasWaited = waiter.IsQueued;
            // A thread that blocks cannot rely on the timer that was set for those before it.
            effects.WakeChanged |= waiter.IsQueued && waiter.IsBlocking && _wakeUpAt != Clock.Never;
            if (waiter.IsQueued && _waiters.Count > _options.MaxWaiting)
                Refuse(waiter, RentOutcome.QueueFull, now, ref effects);
            else if (waiter.IsQueued && request.Details is { RefuseWhenFull: true } && _leased >= _maxSize)
                Refuse(waiter, RentOutcome.CouldDeadlock, now, ref effects);
        }
        effects.Run(this);
    }

    /// <summary>Takes a waiter out of the queue without a connection.</summary>
    private void Refuse(Waiter<T> waiter, RentOutcome outcome, long now, ref Effects<T> effects, Exception? error = null)
    {
        Count(outcome);
        _waiters.Remove(waiter);
        waiter.Result = new RentResult<T>(outcome, default, null, error, Clock.Span(now - waiter.EnqueuedAt));
        effects.Signal(waiter);
    }

    private void Count(RentOutcome refusal)
    {
        _totals.TimedOut += refusal == RentOutcome.TimedOut ? 1 : 0;
        _totals.Rejected += refusal == RentOutcome.QueueFull ? 1 : 0;
        _totals.Cancelled += refusal == RentOutcome.Cancelled ? 1 : 0;
    }

    /// <summary>Hands connections to the head of the queue for as long as it can be given what it needs.</summary>
    private void ServeWaiters(long now, ref Effects<T> effects)
    {
        while (_lending && _waiters.Head is { } waiter && CollectFresh(waiter.Need, now, AnsweredSince(waiter, now), ref effects) is { } slots)
        {
            _waiters.Remove(waiter);
            var waited = now - waiter.EnqueuedAt;
            waiter.Result = Lend(slots, waiter.Request, now, Clock.Span(waited));
            _totals.Queued += waiter.HasWaited ? waiter.Need : 0;
            _totals.WaitTicks += waited;
            effects.Signal(waiter);
        }
    }

    /// <summary>
    /// The connections to lend next, if there are <paramref name="need"/> that are fit to be lent now. Those too old are retired on the way, and
    /// those that must be pinged first are sent to be checked: as many as there are rents to wait for them, but all at once that are suspect, as
    /// dead ones would otherwise be found one after the other.
    /// </summary>
    private FreshSlots? CollectFresh(int need, long now, long answeredSince, ref Effects<T> effects)
    {
        var fresh = new FreshSlots(need);
        for (Slot<T>? slot = _idle.First, following; slot is not null && !fresh.Complete; slot = following)
        {
            following = _idle.Following(slot);
            if (slot.ExpiresAt <= now)
                Retire(slot, CloseReason.MaxLifetime, ref effects);
            else if (now <= slot.FreshUntil || HasAnswered(slot, answeredSince))
                fresh.Add(slot);
            else if (_checking < Math.Max(_waiters.Demand, need) || IsSuspect(slot))
                BeginCheck(slot, ref effects);
        }
        return fresh.Complete ? fresh : null;
    }

    private long AnsweredSince(Waiter<T> waiter, long now) => Math.Max(waiter.EnqueuedAt, now - Clock.Ticks(RecentEnough));

    private bool HasAnswered(Slot<T> slot, long since) => !IsSuspect(slot) && slot.AliveAt > since;

    private RentResult<T> Lend(FreshSlots slots, in RentRequest request, long now, TimeSpan waited)
    {
        if (slots.Many is null)
            return new RentResult<T>(RentOutcome.Lent, Lend(slots.One!, request, now), null, null, waited);
        var group = new Loan<T>[slots.Many.Count];
        for (var i = 0; i < group.Length; i++)
            group[i] = Lend(slots.Many[i], request, now);
        return new RentResult<T>(RentOutcome.Lent, default, group, null, waited);
    }

    private Loan<T> Lend(Slot<T> slot, in RentRequest request, long now)
    {
        _idle.Remove(slot);
        _leased++;
        _totals.Rented++;
        var connection = slot.Connection!;
        slot.Connection = null;
        slot.State = SlotState.Leased;
        slot.LeaseId = ++_lastLeaseId;
        slot.Request = request;
        slot.RentedAt = now;
        slot.WarnedOfLongLease = false;
        request.Details?.Flow?.Took();
        return new Loan<T>(slot, connection, slot.LeaseId);
    }

    /// <summary>Idle connections picked for one rent; one, the ordinary case, without an allocation.</summary>
    private struct FreshSlots(int need)
    {
        private int _count;

        public Slot<T>? One { get; private set; }
        public List<Slot<T>>? Many { get; private set; }
        public readonly bool Complete => _count == need;

        public void Add(Slot<T> slot)
        {
            _count++;
            if (need == 1)
                One = slot;
            else
                (Many ??= new List<Slot<T>>(need)).Add(slot);
        }
    }
}
