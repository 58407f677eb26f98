using PgPool.Diagnostics;

namespace PgPool.Engine;

/// <summary>
/// The pool without PostgreSQL: permits, an idle store, a queue of waiters, and the lending between them. Everything it does to a
/// connection goes through an <see cref="IConnectionDriver{T}"/>.
/// </summary>
/// <remarks>
/// <para>
/// One small lock guards all state. Under it there is no I/O, no callback, no log and no timer: a change of state notes its
/// <see cref="Effects{T}"/>, which run when the lock is released.
/// </para>
/// <para>
/// Invariants, at every instant: a connection is in one place; connections of all places plus opens never exceed the maximum (but after it
/// was made smaller); the head of the queue does not wait while connections that it can have are idle; a permit is given back once.
/// </para>
/// </remarks>
internal sealed partial class PoolEngine<T> : IDisposable where T : class
{
    private readonly Lock _lock = new();
    private readonly IConnectionDriver<T> _driver;
    private readonly IPoolEvents _events;
    private readonly EngineOptions _options;
    private readonly WaiterPools<T> _waiterPools;

    // All below: guarded by the lock.
    private readonly IdleStore<T> _idle;
    private readonly WaitQueue<T> _waiters = new();
    private readonly List<Slot<T>> _slots = [];
    private readonly Growth _growth;
    private readonly Backoff _backoff;
    private readonly PoolTotals _totals = new();
    private int _minSize;
    private int _maxSize;
    private int _leased;
    private int _resetting;
    private int _checking;
    private int _closing;
    private int _opening;
    private int _aging;
    private int _generation;
    private long _lastLeaseId;
    private bool _suspended;
    private bool _closed;

    /// <summary>Neither suspended nor closed: idle connections may be lent.</summary>
    private bool _lending = true;

    public PoolEngine(IConnectionDriver<T> driver, EngineOptions options, IPoolEvents events)
    {
        _driver = driver;
        _options = options;
        _events = events;
        Clock = new Clock(options.TimeProvider);
        _minSize = options.MinSize;
        _maxSize = options.MaxSize;
        _idle = new IdleStore<T>(options.IdleOrder);
        _growth = new Growth(Clock);
        _backoff = new Backoff(Clock, options.ReconnectDelay, options.MaxReconnectDelay);
        _waiterPools = new WaiterPools<T>(this);
        _validateAfterIdle = Clock.Ticks(options.ValidateAfterIdle);
        _maxLifetime = Clock.Ticks(options.MaxLifetime);
        _renewalLead = Clock.Ticks(RenewalLead(options.MaxLifetime));
        _driver.SessionBroke += OnSessionBroke;
        _maintenance = new Maintenance<T>(this, options, Clock);
    }

    public Clock Clock { get; }

    public int MinSize
    {
        get
        {
            lock (_lock)
                return _minSize;
        }
    }

    public int MaxSize
    {
        get
        {
            lock (_lock)
                return _maxSize;
        }
    }

    public bool IsSuspended
    {
        get
        {
            lock (_lock)
                return _suspended;
        }
    }

    public bool IsClosed
    {
        get
        {
            lock (_lock)
                return _closed;
        }
    }

    /// <summary>Starts the filling to the minimum and the maintenance.</summary>
    public void Start()
    {
        _maintenance.Start();
        Settle();
    }

    /// <summary>Connections that exist. Each holds a permit, one on its way out too.</summary>
    private int Total => _slots.Count;

    /// <summary>Permits that nobody holds; negative while a pool made smaller has more than it may.</summary>
    private int FreePermits => _maxSize - Total - _opening;

    /// <summary>Connections that exist and are not on their way out.</summary>
    private int Staying => Total - _closing;

    /// <summary>Of those, the ones that are not about to be replaced for their age.</summary>
    private int Lasting => Staying - _aging;
}
