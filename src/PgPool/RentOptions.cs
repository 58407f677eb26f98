namespace PgPool;

/// <summary>What one rent wants that differs from the pool's own options.</summary>
/// <example><code>
/// await using var lease = await pool.RentAsync(new() { Label = "copy orders, part 3", Timeout = TimeSpan.FromSeconds(5) }, ct);
/// </code></example>
public readonly record struct RentOptions
{
    /// <summary>
    /// How long to wait for a connection. <see langword="null"/>: the pool's <see cref="ConnectionPoolOptions.RentTimeout"/>.
    /// <see cref="TimeSpan.Zero"/>: take an idle connection or fail at once. <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>: for ever.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Which waiters are served first; the default is <see cref="RentPriority.Normal"/>.</summary>
    public RentPriority Priority { get; init; }

    /// <summary>A name for what the lease is used for, e.g. "copy orders, part 3"; shown in leases, messages and logs.</summary>
    public string? Label { get; init; }
}
