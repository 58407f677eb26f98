using Npgsql;
using PgPool.Benchmarks.Harness;
using PgPool.TestSupport;

namespace PgPool.Benchmarks.Cases;

internal sealed class Growth : IBenchmark
{
    private const int Renters = 50;
    private const string TwoMilliseconds = "SELECT pg_sleep(0.002)";

    public string Name => "growth";

    public string What => $"{Renters} rents of 2 ms at once on an empty pool that may grow to {Renters}, where a connect takes 150 ms";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        await using var proxy = FaultProxy.InFrontOf(context.Server.ConnectionString);
        proxy.ConnectDelay = TimeSpan.FromMilliseconds(150);
        var connectionString = proxy.ConnectionStringFor(context.Server.ConnectionString);

        var comparison = await context.CompareAsync(rounds: 3, OursAsync, PeerAsync);
        return [comparison.Show("connections opened", static opened => opened, Bar.AtMost(6))];

        async Task<double> OursAsync()
        {
            var before = proxy.Accepted;
            await using var pool = new ConnectionPool(Contestants.OurOptions(connectionString, minSize: 0, Renters));
            await Task.WhenAll(Enumerable.Range(0, Renters).Select(_ => RentAsync(pool)));
            // An open that nobody waits for any more counts as well.
            await Eventually.BecomesAsync(() => pool.GetStatistics().Opening == 0, "no connection is being opened");
            return proxy.Accepted - before;
        }

        async Task<double> PeerAsync()
        {
            var before = proxy.Accepted;
            await using var peer = Contestants.CreatePeer(connectionString, minSize: 0, Renters);
            await Task.WhenAll(Enumerable.Range(0, Renters).Select(_ => OpenAsync(peer)));
            return proxy.Accepted - before;
        }
    }

    private static async Task RentAsync(ConnectionPool pool)
    {
        await using var lease = await pool.RentAsync();
        await using var command = lease.CreateCommand(TwoMilliseconds);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task OpenAsync(NpgsqlDataSource peer)
    {
        await using var connection = await peer.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(TwoMilliseconds, connection);
        await command.ExecuteNonQueryAsync();
    }
}
