namespace PgPool.TestSupport;

/// <summary>How a local server is stopped, in PostgreSQL's own words.</summary>
public enum PostgresShutdown
{
    /// <summary>Sessions are told (57P01), rolled back and closed.</summary>
    Fast,

    /// <summary>The nearest thing to a crash: sessions end at once (57P02), the next start recovers from the log.</summary>
    Immediate,
}
