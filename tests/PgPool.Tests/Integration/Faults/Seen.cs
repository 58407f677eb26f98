namespace PgPool.Tests.Integration.Faults;

/// <summary>What a rent sees of a fault.</summary>
public enum Seen
{
    /// <summary>Nothing: it gets the session that was there, and that works.</summary>
    SameSession,

    /// <summary>Nothing: it gets another session, and that works.</summary>
    NewSession,

    /// <summary>A PoolTimeoutException at its own deadline, which says that the server is slow or unreachable.</summary>
    TimesOut,

    /// <summary>It waits for as long as the fault lasts, and gets a session when it is cured. With a deadline: as <see cref="TimesOut"/>.</summary>
    WaitsForCure,

    /// <summary>A PoolConnectException at once.</summary>
    Refused,
}
