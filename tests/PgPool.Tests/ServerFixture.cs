using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

[assembly: AssemblyFixture(typeof(ServerFixture))]

namespace PgPool.Tests;

/// <summary>The server of the whole test run, started by the first test that asks for it: take a database of your own from it.</summary>
public sealed class ServerFixture : IAsyncDisposable
{
    // Test classes run side by side, each with its own pools.
    private readonly Lazy<PostgresServer> _server = new(static () =>
        Task.Run(static () => PostgresServer.StartAsync(new PostgresServerOptions { MaxConnections = 300 })).GetAwaiter().GetResult());

    /// <summary>Blocks until the server has started. A failed start is not tried again: every test that asks fails with the same error.</summary>
    public PostgresServer Server => _server.Value;

    public ValueTask DisposeAsync() => _server.IsValueCreated ? _server.Value.DisposeAsync() : default;
}
