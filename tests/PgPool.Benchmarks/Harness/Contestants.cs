using Npgsql;

namespace PgPool.Benchmarks.Harness;

/// <summary>This pool and Npgsql's own, of the same size, with all their connections open.</summary>
internal sealed class Contestants : IAsyncDisposable
{
    private Contestants(ConnectionPool ours, NpgsqlDataSource peer)
    {
        Ours = ours;
        Peer = peer;
    }

    public ConnectionPool Ours { get; }

    public NpgsqlDataSource Peer { get; }

    public static async Task<Contestants> StartAsync(string connectionString, int size, SessionReset reset)
    {
        var started = new Contestants(
            new ConnectionPool(OurOptions(connectionString, size, size, reset)), CreatePeer(connectionString, size, size, reset));
        await started.Ours.WarmUpAsync();
        await FillAsync(started.Peer, size);
        return started;
    }

    public static ConnectionPoolOptions OurOptions(
        string connectionString, int minSize, int maxSize, SessionReset reset = SessionReset.Full) => new(connectionString)
        {
            MinSize = minSize,
            MaxSize = maxSize,
            SessionReset = reset,
            // For the longest queues on the slowest machines. Finite, as in life: the timers of the waiters are part of what is measured.
            RentTimeout = TimeSpan.FromMinutes(4),
        };

    public static NpgsqlDataSource CreatePeer(string connectionString, int minSize, int maxSize, SessionReset reset = SessionReset.Full) =>
        NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString)
        {
            MinPoolSize = minSize,
            MaxPoolSize = maxSize,
            NoResetOnClose = reset != SessionReset.Full,
            Timeout = 240,
        });

    /// <summary>Npgsql's pool opens a connection only for somebody who wants one, so as many want one at once.</summary>
    public static async Task FillAsync(NpgsqlDataSource peer, int size)
    {
        var connections = await Task.WhenAll(Enumerable.Range(0, size).Select(_ => peer.OpenConnectionAsync().AsTask()));
        foreach (var connection in connections)
            await connection.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Ours.DisposeAsync();
        await Peer.DisposeAsync();
    }
}
