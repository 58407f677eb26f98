namespace PgPool.Engine;

/// <summary>How a rent ended.</summary>
internal enum RentOutcome
{
    Lent,
    TimedOut,
    Cancelled,

    /// <summary>As many waiters as allowed.</summary>
    QueueFull,

    /// <summary>A nested rent in a full pool.</summary>
    CouldDeadlock,

    /// <summary>More connections than the pool, made smaller, may have.</summary>
    TooManyForPool,

    /// <summary>The server refused for good.</summary>
    ConnectFailed,

    /// <summary>The pool is closed, or was while the rent waited.</summary>
    PoolClosed,
}
