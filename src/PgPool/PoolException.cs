using System.Data.Common;

namespace PgPool;

/// <summary>The base of what a pool throws when it cannot lend a connection.</summary>
public class PoolException : DbException
{
    /// <summary>For the pool's own exceptions.</summary>
    protected PoolException(string message, Exception? innerException) : base(message, innerException)
    {
    }

    private protected PoolException(string message, PoolStatistics statistics, Exception? innerException) : base(message, innerException)
        => Statistics = statistics;

    /// <summary>The name of the pool.</summary>
    public string PoolName => Statistics.PoolName;

    /// <summary>The pool at the moment of the failure.</summary>
    public PoolStatistics Statistics { get; } = new() { PoolName = "", ClosedByReason = new Dictionary<CloseReason, long>() };
}
