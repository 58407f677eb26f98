using System.Diagnostics;
using Npgsql;
using PgPool.TestSupport;

namespace PgPool.Benchmarks.Cases;

/// <summary>A server that goes away and comes back.</summary>
internal abstract class Outage : IAsyncDisposable
{
    /// <summary>The real thing where the server is ours to restart, and otherwise a proxy that stands for it.</summary>
    public static Outage Of(PostgresServer server) => server.CanRestart ? new ByRestart(server) : new ByProxy(server);

    public abstract string ConnectionString { get; }

    public abstract Task BeginAsync();

    /// <returns>The timestamp of the moment from which on the server accepted connections.</returns>
    public abstract Task<long> EndAsync();

    public abstract ValueTask DisposeAsync();

    private sealed class ByRestart(PostgresServer server) : Outage
    {
        public override string ConnectionString => server.ConnectionString;

        public override Task BeginAsync() => server.StopAsync(PostgresShutdown.Immediate);

        public override async Task<long> EndAsync()
        {
            var starting = server.StartAgainAsync();
            var accepting = await FirstConnectAsync();
            await starting;
            return accepting;
        }

        public override ValueTask DisposeAsync() => default;

        // pg_ctl looks every 100 ms only, which is half of what is to be measured.
        private async Task<long> FirstConnectAsync()
        {
            while (true)
            {
                var start = Stopwatch.GetTimestamp();
                try
                {
                    await using var connection = await server.Admin.OpenConnectionAsync();
                    return start;
                }
                catch (NpgsqlException)
                {
                    await Task.Delay(5);
                }
            }
        }
    }

    private sealed class ByProxy(PostgresServer server) : Outage
    {
        private readonly FaultProxy _proxy = FaultProxy.InFrontOf(server.ConnectionString);

        public override string ConnectionString => _proxy.ConnectionStringFor(server.ConnectionString);

        public override Task BeginAsync()
        {
            _proxy.Mode = FaultMode.Refuse;
            _proxy.CutAll();
            return Task.CompletedTask;
        }

        public override Task<long> EndAsync()
        {
            _proxy.Mode = FaultMode.Pass;
            return Task.FromResult(Stopwatch.GetTimestamp());
        }

        public override ValueTask DisposeAsync() => _proxy.DisposeAsync();
    }
}
