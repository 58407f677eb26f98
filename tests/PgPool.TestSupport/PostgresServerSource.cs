namespace PgPool.TestSupport;

/// <summary>Where a <see cref="PostgresServer"/> comes from.</summary>
public enum PostgresServerSource
{
    /// <summary>A running server that PGPOOL_TEST_CONNECTION names. It is shared: only the databases made here are removed.</summary>
    Environment,

    /// <summary>A container of its own, by Testcontainers.</summary>
    Container,

    /// <summary>A server of its own, by the PostgreSQL programs of this machine, or by programs that were fetched.</summary>
    Local,
}
