namespace PgPool.Hosting;

/// <summary>What the host does with a pool. In the configuration: the section "Host" of the pool's own.</summary>
public sealed class PgPoolHostOptions
{
    /// <summary>
    /// Whether the application starts only when <see cref="ConnectionPoolOptions.MinSize"/> connections are open, before its other hosted services, the web
    /// server among them, take anything on. The default is <see langword="true"/>.
    /// </summary>
    public bool WarmUp { get; set; } = true;

    /// <summary>
    /// How long the start waits for that. After it the application starts all the same, with a warning: the health check tells when it is well. A server that
    /// refuses for good, a wrong password say, fails the start at once. More than zero, at most 24 days, or infinite. The default is 30 seconds.
    /// </summary>
    public TimeSpan WarmUpTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long leases may take to come back when the application stops, after its other hosted services have; those still out are severed then. The host's own
    /// ShutdownTimeout, 30 seconds by default and for all that stops, ends it, too: raise that for more. Zero to 24 days, or infinite. The default is 30 seconds.
    /// </summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
