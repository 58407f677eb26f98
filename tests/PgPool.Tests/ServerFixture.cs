using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

[assembly: AssemblyFixture(typeof(ServerFixture))]

namespace PgPool.Tests;

/// <summary>The server of the whole test run: take it in a test class's constructor, and a database of your own from it.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private PostgresServer? _server;

    public PostgresServer Server => _server ?? throw new InvalidOperationException("The server is not started yet.");

    // Test classes run side by side, each with its own pools.
    public async ValueTask InitializeAsync() =>
        _server = await PostgresServer.StartAsync(new PostgresServerOptions { MaxConnections = 300 });

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
