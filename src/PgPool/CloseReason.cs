namespace PgPool;

/// <summary>Why the pool closed a physical connection.</summary>
public enum CloseReason
{
    /// <summary>Idle longer than <see cref="ConnectionPoolOptions.IdleTimeout"/> while there were more than the minimum.</summary>
    IdleTimeout,

    /// <summary>Older than its share of <see cref="ConnectionPoolOptions.MaxLifetime"/>.</summary>
    MaxLifetime,

    /// <summary>Failed, or severed because it was busy at return.</summary>
    Broken,

    /// <summary>A ping was not answered in time, or the server turned read-only against <see cref="ConnectionPoolOptions.RequireReadWrite"/>.</summary>
    ValidationFailed,

    /// <summary>The session reset, or the <see cref="ConnectionPoolOptions.OnConnectionReturned"/> hook, failed or took too long.</summary>
    ResetFailed,

    /// <summary>The user asked for it: <see cref="ConnectionLease.Discard"/>.</summary>
    Discarded,

    /// <summary><see cref="ConnectionPool.Clear"/> or <see cref="ConnectionPool.ReloadTypesAsync"/>.</summary>
    Cleared,

    /// <summary><see cref="ConnectionPool.Resize"/> made the pool smaller.</summary>
    Resized,

    /// <summary>Its lease was dropped without being returned, and was garbage collected.</summary>
    Abandoned,

    /// <summary>The user closed or reopened it, or changed its database.</summary>
    SessionReplaced,

    /// <summary>The pool was closed or disposed.</summary>
    PoolClosed,

    /// <summary>
    /// Returned before the end of the System.Transactions transaction that it was enlisted in: kept back until that had ended, then closed.
    /// </summary>
    Enlisted,
}
