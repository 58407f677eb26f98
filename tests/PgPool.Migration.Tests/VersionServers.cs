using System.Collections.Concurrent;
using PgPool.Tests;
using PgPool.TestSupport;

namespace PgPool.Migration.Tests;

/// <summary>A server of each version that is asked for, where the machine can have it; otherwise the test is skipped.</summary>
public sealed class VersionServers : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, Lazy<Task<PostgresServer>>> _servers = new();

    public Task<PostgresServer> OfAsync(int version) => _servers.GetOrAdd(
        version, static asked => new(() => Installed.StartServerAsync(new() { Local = true, Version = asked }))).Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values.Where(server => server.Value.IsCompletedSuccessfully))
            await (await server.Value).DisposeAsync();
    }
}
