namespace PgPool.Tests.Integration.Faults;

/// <summary>Where the pool's one session is when a fault strikes.</summary>
public enum State
{
    /// <summary>In the pool, answered a moment ago. A rent comes right after the fault.</summary>
    Idle,

    /// <summary>Lent. Its renter runs a command after the fault, returns it, and rents again.</summary>
    Leased,

    /// <summary>
    /// Being opened for a rent that waits: in the hook OnConnectionOpened for faults that strike sessions, and before its first byte has reached the
    /// server for those that strike whoever comes.
    /// </summary>
    Opening,

    /// <summary>Returned, its reset under way. A rent waits for it.</summary>
    Resetting,

    /// <summary>Being pinged for a rent that waits for it.</summary>
    Validating,
}
