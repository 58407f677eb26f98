namespace PgPool;

/// <summary>Which of several idle connections is lent next.</summary>
public enum IdleOrder
{
    /// <summary>The one used last: its caches are warm, and the others can age out. The default.</summary>
    Lifo,

    /// <summary>The one idle longest: use is spread evenly, and none ages out while the pool is in use.</summary>
    Fifo,
}
