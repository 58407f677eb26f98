namespace PgPool.TestSupport;

/// <summary>What a server with <see cref="PostgresServerOptions.Tls"/> shows its clients.</summary>
public enum TestCertificate
{
    /// <summary>For 127.0.0.1 and localhost, by the authority that the server's connection string names.</summary>
    Trusted,

    /// <summary>For the same names, by another authority.</summary>
    Untrusted,

    /// <summary>By the right authority, for another name.</summary>
    OtherHost,
}
