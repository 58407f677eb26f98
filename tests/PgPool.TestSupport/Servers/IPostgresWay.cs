namespace PgPool.TestSupport.Servers;

/// <summary>One way to get a server.</summary>
internal interface IPostgresWay
{
    /// <summary>What PGPOOL_POSTGRES calls it.</summary>
    string Name { get; }

    /// <summary>Starts a server, of a major version if one is given.</summary>
    /// <exception cref="WayUnavailableException">This way does not work here, or cannot give that version.</exception>
    Task<PostgresServer> StartAsync(int? version, PostgresServerOptions options, CancellationToken cancellationToken);
}
