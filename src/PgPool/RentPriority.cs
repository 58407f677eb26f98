namespace PgPool;

/// <summary>Which waiters are served first. Within one priority it is strictly first come, first served.</summary>
public enum RentPriority
{
    /// <summary>The default.</summary>
    Normal = 0,

    /// <summary>Served before every <see cref="Normal"/> and <see cref="Low"/> waiter.</summary>
    High = 1,

    /// <summary>Served only when no <see cref="Normal"/> or <see cref="High"/> waiter is left.</summary>
    Low = -1,
}
