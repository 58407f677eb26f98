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
    private CancellationTokenRegistration _cancellation;

    protected Waiter(PoolEngine<T> engine)
    {
        _engine = engine;
        InDeadlines = new LinkedListNode<Waiter<T>>(this);
    }

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

    /// <summary>Its place among the deadlines, while it has one.</summary>
    public LinkedListNode<Waiter<T>> InDeadlines { get; }

    /// <summary>Whether a thread is blocked on it.</summary>
    public abstract bool IsBlocking { get; }

    /// <summary>Whether it watches its deadline itself, by the operating system's clock.</summary>
    public bool TimesItselfOut => IsBlocking && _engine.Clock.IsSystem;

    public void Prepare(in RentRequest request, int need, RentPriority priority, long now, long deadline)
    {
        Request = request;
        Need = need;
        HasWaited = false;
        Priority = priority;
        EnqueuedAt = now;
        Deadline = deadline;
    }

    /// <summary>Starts to watch for the rent's cancellation. Outside the lock; the waiter may be settled already.</summary>
    protected void Watch(CancellationToken cancellationToken)
    {
        // An already cancelled token settles the waiter right here.
        if (cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.UnsafeRegister(static waiter => ((Waiter<T>)waiter!).OnCancelled(), this);
    }

    /// <summary>Ends watching and forgets the rent. Waits for a cancellation callback that runs, so none reaches the waiter's next rent.</summary>
    protected void Clear()
    {
        _cancellation.Dispose();
        _cancellation = default;
        Request = default;
        Result = default;
    }

    /// <summary>Tells the renter that the waiter is settled. Outside the lock, and the last that the engine does with it.</summary>
    public abstract void Signal();

    private void OnCancelled() => _engine.Cancel(this);
}
