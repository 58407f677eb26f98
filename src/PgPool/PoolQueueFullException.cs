namespace PgPool;

/// <summary>As many rents as <see cref="ConnectionPoolOptions.MaxWaiting"/> allows wait already.</summary>
public sealed class PoolQueueFullException : PoolException
{
    internal PoolQueueFullException(string message, PoolStatistics statistics) : base(message, statistics, innerException: null)
    {
    }

    /// <summary>True: a later rent can succeed.</summary>
    public override bool IsTransient => true;
}
