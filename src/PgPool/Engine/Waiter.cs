namespace PgPool.Engine;

/// <summary>A rent in the queue. Recycled, so that waiting allocates nothing that grows with the queue.</summary>
/// <remarks>
/// A waiter is settled exactly once, under the engine's lock, by whoever comes first: a connection, its deadline, its cancellation, a failure. Only
/// a waiter still in the queue accepts; so nothing is handed to one that has given up. It is then signalled, outside the lock, and only after
/// its signal may it be recycled.
/// </remarks>
internal abstract class Waiter<T> where T : class
{
    private readonly PoolEngine<T> _engine;
    private ITimer? _timer;
    private bool _timerArmed;
    private CancellationTokenRegistration _cancellation;

    protected Waiter(PoolEngine<T> engine) => _engine = engine;

    protected PoolEngine<T> Engine => _engine;

    // Guarded by the engine's lock.
    public bool IsQueued { get; set; }

    /// <summary>Whether it was not served the moment it came.</summary>
    public bool HasWaited { get; set; }

    public RentRequest Request { get; private set; }
    public int Need { get; private set; }
    public RentPriority Priority { get; private set; }
    public long EnqueuedAt { get; private set; }
    public long Deadline { get; private set; }
    public RentResult<T> Result { get; set; }
    public Waiter<T>? Next { get; set; }
    public Waiter<T>? Previous { get; set; }

    /// <summary>Whether a thread is blocked on it.</summary>
    public abstract bool IsBlocking { get; }

    public void Prepare(in RentRequest request, int need, RentPriority priority, long now, long deadline)
    {
        Request = request;
        Need = need;
        HasWaited = false;
        Priority = priority;
        EnqueuedAt = now;
        Deadline = deadline;
    }

    /// <summary>Starts to watch what can end the wait. Outside the lock; the waiter may be settled already.</summary>
    protected void Watch(long timerDeadline, CancellationToken cancellationToken)
    {
        if (timerDeadline != Clock.Never)
            ArmTimer(_engine.Clock.Until(timerDeadline, _engine.Clock.Now));
        // Registered last: an already cancelled token settles the waiter right here.
        if (cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.UnsafeRegister(static waiter => ((Waiter<T>)waiter!).OnCancelled(), this);
    }

    /// <summary>
    /// Ends watching and forgets the rent. Waits for a cancellation callback that runs, so none reaches the waiter's next rent; a timer callback
    /// may, and finds that it is not due.
    /// </summary>
    protected void Clear()
    {
        _cancellation.Dispose();
        _cancellation = default;
        if (_timerArmed)
        {
            _timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timerArmed = false;
        }
        Request = default;
        Result = default;
    }

    /// <summary>Tells the renter that the waiter is settled. Outside the lock, and the last that the engine does with it.</summary>
    public abstract void Signal();

    private void ArmTimer(TimeSpan due)
    {
        _timerArmed = true;
        if (_timer is null)
        {
            using (Background.WithoutFlow())
                _timer = _engine.Clock.Provider.CreateTimer(static waiter => ((Waiter<T>)waiter!).OnTimer(), this, due, Timeout.InfiniteTimeSpan);
        }
        else
        {
            _timer.Change(due, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnTimer()
    {
        // A timer may fire a moment early by the clock that deadlines are measured with; or late, for the next rent on this waiter. Asked again
        // once it is set, as that next rent may have set it in between, to its own deadline.
        _engine.Expire(this, out var notBefore);
        for (var setTo = Clock.Never; notBefore != setTo && notBefore != Clock.Never; _engine.Expire(this, out notBefore))
        {
            setTo = notBefore;
            _timer!.Change(_engine.Clock.Until(notBefore, _engine.Clock.Now), Timeout.InfiniteTimeSpan);
        }
    }

    private void OnCancelled() => _engine.Cancel(this);
}
