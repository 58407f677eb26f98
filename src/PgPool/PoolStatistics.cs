namespace PgPool;

/// <summary>One moment of the pool, consistent in itself, and totals since it was made.</summary>
public sealed record PoolStatistics
{
    /// <summary>The pool's name.</summary>
    public required string PoolName { get; init; }

    /// <summary>Connections that exist at least.</summary>
    public int MinSize { get; init; }

    /// <summary>Connections that exist, are being opened or reset, at most.</summary>
    public int MaxSize { get; init; }

    /// <summary>
    /// Physical connections: <see cref="Idle"/> + <see cref="Leased"/> + <see cref="Resetting"/>. Together with <see cref="Opening"/> never more
    /// than <see cref="MaxSize"/>, but after a shrinking <see cref="ConnectionPool.Resize"/>.
    /// </summary>
    public int Total { get; init; }

    /// <summary>Connections that can be lent now.</summary>
    public int Idle { get; init; }

    /// <summary>Connections that are lent.</summary>
    public int Leased { get; init; }

    /// <summary>Connections between two uses: being reset, validated or closed, or kept until the transaction ends that they are enlisted in.</summary>
    public int Resetting { get; init; }

    /// <summary>Connections being opened.</summary>
    public int Opening { get; init; }

    /// <summary>Rents that wait now; a group counts once.</summary>
    public int Waiting { get; init; }

    /// <summary>How long the longest-waiting of the waiters has waited so far; zero when nobody waits.</summary>
    public TimeSpan LongestWait { get; init; }

    /// <summary>Leases handed out.</summary>
    public long Rented { get; init; }

    /// <summary>Leases, of those <see cref="Rented"/>, that had to be waited for, be it for an open.</summary>
    public long Queued { get; init; }

    /// <summary>Rents that got no connection in time, those with a timeout of zero that found nothing included.</summary>
    public long TimedOut { get; init; }

    /// <summary>Rents refused because <see cref="ConnectionPoolOptions.MaxWaiting"/> others waited.</summary>
    public long Rejected { get; init; }

    /// <summary>Rents whose cancellation token ended them while they waited.</summary>
    public long Cancelled { get; init; }

    /// <summary>Time that the rents of <see cref="Queued"/> waited, added up.</summary>
    public TimeSpan TotalWaitTime { get; init; }

    /// <summary>Time that returned leases were out, added up.</summary>
    public TimeSpan TotalUseTime { get; init; }

    /// <summary>Physical connections opened.</summary>
    public long Opened { get; init; }

    /// <summary>Attempts to open a physical connection that failed.</summary>
    public long OpenFailed { get; init; }

    /// <summary>Physical connections closed, for any reason.</summary>
    public long Closed { get; init; }

    /// <summary><see cref="Closed"/>, by reason; a reason that never occurred is there with 0.</summary>
    public required IReadOnlyDictionary<CloseReason, long> ClosedByReason { get; init; }

    /// <summary>Leases returned with an open transaction, a running command or an open reader or COPY.</summary>
    public long DirtyReturns { get; init; }

    /// <summary>Leases that were dropped without being returned and whose place the pool took back.</summary>
    public long Abandoned { get; init; }

    /// <summary>The last failure to open, or <see langword="null"/> if an open has succeeded since.</summary>
    public Exception? LastOpenError { get; init; }
}
