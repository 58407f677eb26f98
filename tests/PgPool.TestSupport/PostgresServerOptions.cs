namespace PgPool.TestSupport;

/// <summary>What a <see cref="PostgresServer"/> is to be like. A server given by the environment is taken as it is.</summary>
public sealed class PostgresServerOptions
{
    /// <summary>The major version, 10 or later; null: the one that PGPOOL_POSTGRES_VERSION asks for, or any.</summary>
    public int? Version { get; init; }

    /// <summary>max_connections. The default is 100.</summary>
    public int MaxConnections { get; init; } = 100;

    /// <summary>More settings by name, as in postgresql.conf; they win over this library's own.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>A local server of one's own, whatever else there is: for tests that stop it, restart it or read its log.</summary>
    public bool Local { get; init; }

    /// <summary>TCP clients must know the password (SCRAM). Off, a local server trusts everybody; a container always asks.</summary>
    public bool RequirePassword { get; init; }

    /// <summary>
    /// TLS, with a certificate authority of its own that the connection string names, so that clients verify the server. For a
    /// <see cref="Local"/> server only; see <see cref="PostgresServer.UseCertificateAsync"/>.
    /// </summary>
    public bool Tls { get; init; }
}
