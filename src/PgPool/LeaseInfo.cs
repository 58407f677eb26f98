namespace PgPool;

/// <summary>One lease that is out: who holds it, since when, rented where.</summary>
public sealed record LeaseInfo
{
    /// <summary>Unique within the pool; the same as <see cref="ConnectionLease.Id"/>.</summary>
    public long Id { get; init; }

    /// <summary>The label of the rent, if it had one.</summary>
    public string? Label { get; init; }

    /// <summary>File and line of the rent, e.g. "Orders.cs:42".</summary>
    public required string CallSite { get; init; }

    /// <summary>When the lease was handed out, by the pool's <see cref="ConnectionPoolOptions.TimeProvider"/>.</summary>
    public DateTimeOffset RentedAt { get; init; }

    /// <summary>How long the lease had been out when this was read.</summary>
    public TimeSpan HeldFor { get; init; }

    /// <summary>The server's process id of the session, as in pg_stat_activity.</summary>
    public int BackendProcessId { get; init; }

    /// <summary>The stack of the rent, when <see cref="ConnectionPoolOptions.CaptureRentStackTraces"/> is set.</summary>
    public string? StackTrace { get; init; }
}
