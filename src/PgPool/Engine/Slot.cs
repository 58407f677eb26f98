namespace PgPool.Engine;

/// <summary>The place of one physical connection in the pool, for as long as that connection lives. Guarded by the engine's lock.</summary>
/// <remarks>
/// While the connection is lent the slot holds it weakly: the lease holds it strongly, so that once neither the lease nor the connection can be
/// reached by the user any more the weak reference dies, and the place can be taken back.
/// </remarks>
internal sealed class Slot<T> where T : class
{
    private readonly WeakReference<T> _weak;

    public Slot(T connection, int generation, int backendProcessId, long now, long expiresAt)
    {
        Connection = connection;
        _weak = new WeakReference<T>(connection);
        Generation = generation;
        BackendProcessId = backendProcessId;
        UsedAt = now;
        ExpiresAt = expiresAt;
    }

    /// <summary>Null exactly while the connection is lent.</summary>
    public T? Connection { get; set; }

    public int Generation { get; }
    public int BackendProcessId { get; }
    public long ExpiresAt { get; }
    public SlotState State { get; set; }

    /// <summary>Near the end of its lifetime: its replacement is opened already, or as soon as there is a permit for it.</summary>
    public bool IsAging { get; set; }

    /// <summary>When the connection was last returned, or opened: what idleness counts from.</summary>
    public long UsedAt { get; set; }

    /// <summary>When the server last answered on it.</summary>
    public long AliveAt { get; private set; }

    /// <summary>How many suspicions the engine had had when that answer was asked for: with more since, it has to answer again before it is lent.</summary>
    public int AnsweredSuspicions { get; private set; }

    /// <summary>How many suspicions the engine had had when the server was last asked.</summary>
    private int AskedSuspicions { get; set; }

    /// <summary>While idle: up to when it can be lent without asking the server. In the past for a suspect one.</summary>
    public long FreshUntil { get; set; }

    /// <summary>While it is pinged: because its keep-alive is due.</summary>
    public bool IsKeptAlive { get; set; }

    /// <summary>Nobody had it when it was decided that it leaves: so nothing that a renter does can hold up its close.</summary>
    public bool ClosesFromIdle { get; set; }

    /// <summary>Why it leaves, once that is decided.</summary>
    public CloseReason CloseReason { get; set; }

    // The lease that is out, or was last.
    public long LeaseId { get; set; }
    public long RentedAt { get; set; }
    public RentRequest Request { get; set; }
    public bool WarnedOfLongLease { get; set; }
    public string? DiscardReason { get; set; }
    public bool IsDiscarded { get; set; }

    // Intrusive links: of the idle store while idle, of a list of effects otherwise.
    public Slot<T>? Newer { get; set; }
    public Slot<T>? Older { get; set; }

    /// <summary>The index in the engine's list of all slots.</summary>
    public int Index { get; set; }

    /// <summary>The server is being asked something on it.</summary>
    public void Asked(int suspicions) => AskedSuspicions = suspicions;

    /// <summary>The server has answered on it: when is not known, but after it was asked.</summary>
    public void Answered(long now)
    {
        AliveAt = now;
        AnsweredSuspicions = AskedSuspicions;
    }

    /// <summary>The connection, lent or not, unless it was dropped and collected.</summary>
    public bool TryReach(out T? connection)
    {
        connection = Connection;
        return connection is not null || _weak.TryGetTarget(out connection);
    }
}
