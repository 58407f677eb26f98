using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>A primary and a standby that follows it. Where PostgreSQL's programs are missing, a test that asks for them is skipped.</summary>
public sealed class ReplicatedServers : IAsyncLifetime
{
    private NotInstalledException? _missing;
    private PostgresServer? _primary;
    private PostgresServer? _standby;

    public PostgresServer Primary => Installed.OrSkip(_primary, _missing);

    public PostgresServer Standby => Installed.OrSkip(_standby, _missing);

    public async ValueTask InitializeAsync()
    {
        try
        {
            _primary = await PostgresServer.StartAsync(new() { Local = true }, TestContext.Current.CancellationToken);
            _standby = await _primary.StartStandbyAsync(TestContext.Current.CancellationToken);
        }
        catch (NotInstalledException e)
        {
            _missing = e;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_standby is not null)
            await _standby.DisposeAsync();
        if (_primary is not null)
            await _primary.DisposeAsync();
    }

    public static int Port(PostgresServer server) => new NpgsqlConnectionStringBuilder(server.ConnectionString).Port;

    /// <summary>One connection string with these ports of 127.0.0.1 as its hosts, and what else it asks for.</summary>
    public string ConnectionString(IEnumerable<int> ports, string keywords = "") => new NpgsqlConnectionStringBuilder(Primary.ConnectionString)
    {
        Host = string.Join(',', ports.Select(port => $"127.0.0.1:{port}")),
    }.ConnectionString + ";" + keywords;
}
