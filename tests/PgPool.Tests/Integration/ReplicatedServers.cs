using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>A primary and a standby that follows it, where this machine has PostgreSQL's programs.</summary>
public sealed class ReplicatedServers : IAsyncLifetime
{
    private PostgresServer? _primary;
    private PostgresServer? _standby;

    /// <summary>False on a machine without the programs, where the error was looked at.</summary>
    public bool AreThere => _standby is not null;

    public PostgresServer Primary => _primary ?? throw new InvalidOperationException("There is no primary.");

    public PostgresServer Standby => _standby ?? throw new InvalidOperationException("There is no standby.");

    public async ValueTask InitializeAsync()
    {
        _primary = await Installed.StartServerAsync();
        if (_primary is not null)
            _standby = await _primary.StartStandbyAsync(TestContext.Current.CancellationToken);
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
