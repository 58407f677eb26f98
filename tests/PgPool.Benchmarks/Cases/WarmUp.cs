using System.Diagnostics;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class WarmUp : IBenchmark
{
    private const int Connections = 20;

    public string Name => "warmup";

    public string What => $"a new pool until {Connections} connections are ready";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var connectionString = context.Server.ConnectionString;
        var comparison = await context.CompareAsync(rounds: 9, OursAsync, PeerAsync);
        return [comparison.Compare("ms", static milliseconds => milliseconds, Bar.AtMost(1.1))];

        async Task<double> OursAsync()
        {
            var start = Stopwatch.GetTimestamp();
            await using var pool = new ConnectionPool(Contestants.OurOptions(connectionString, Connections, Connections));
            await pool.WarmUpAsync();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        async Task<double> PeerAsync()
        {
            var start = Stopwatch.GetTimestamp();
            await using var peer = Contestants.CreatePeer(connectionString, Connections, Connections);
            await Contestants.FillAsync(peer, Connections);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }
}
