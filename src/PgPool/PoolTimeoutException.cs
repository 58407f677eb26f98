namespace PgPool;

/// <summary>No connection came free in time.</summary>
/// <remarks>
/// Its message says: the pool, the time waited, the counts, the oldest holders with label, place and age, and whether the cause is a full pool,
/// a slow, an unreachable, a read-only or a full server (53300), with the cure. <see cref="Exception.InnerException"/> is the last failure to open, if no open
/// has succeeded since.
/// </remarks>
public sealed class PoolTimeoutException : PoolException
{
    internal PoolTimeoutException(string message, PoolStatistics statistics, TimeSpan waited, IReadOnlyList<LeaseInfo> leases, Exception? innerException)
        : base(message, statistics, innerException)
    {
        Waited = waited;
        Leases = leases;
    }

    /// <summary>How long the rent waited.</summary>
    public TimeSpan Waited { get; }

    /// <summary>The leases that were out, oldest first.</summary>
    public IReadOnlyList<LeaseInfo> Leases { get; }

    /// <summary>True: a later rent can succeed.</summary>
    public override bool IsTransient => true;
}
