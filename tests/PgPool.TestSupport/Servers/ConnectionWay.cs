using Npgsql;

namespace PgPool.TestSupport.Servers;

/// <summary>A running server that the environment names.</summary>
internal sealed class ConnectionWay(TestBedSettings settings) : IPostgresWay
{
    public string Name => "connection";

    public async Task<PostgresServer> StartAsync(int? version, PostgresServerOptions options, CancellationToken cancellationToken)
    {
        if (settings.Connection is not { } given)
        {
            throw new WayUnavailableException(
                $"{PostgresServer.ConnectionVariable} is not set (to the connection string of a role that may create databases and roles)");
        }

        PostgresServer? server = null;
        try
        {
            server = new PostgresServer(PostgresServerSource.Environment, given, owned: null);
            await server.CheckVersionAsync(version);
            return server;
        }
        catch (Exception e)
        {
            if (server is not null)
                await server.DisposeAsync();
            if (e is not (NpgsqlException or ArgumentException))
                throw;

            // Whoever names a server does not want the tests to run against another one.
            throw new InvalidOperationException($"{PostgresServer.ConnectionVariable} names a server that cannot be used: {e.Message}", e);
        }
    }
}
