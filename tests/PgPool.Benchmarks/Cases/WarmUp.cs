using System.Diagnostics;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class WarmUp : IBenchmark
{
    private const int Connections = 20;

    public string Name => "warmup";

    public string What => $"a new pool until {Connections} connections are ready; Npgsql opens them all at once";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var connectionString = context.Server.ConnectionString;
        var few = new ConnectionPoolOptions().MaxConcurrentOpens;
        var atOnce = await context.CompareAsync(rounds: 15, () => OursAsync(Connections), PeerAsync);
        var fewAtATime = await context.CompareAsync(rounds: 15, () => OursAsync(few), PeerAsync);
        return
        [
            atOnce.Compare("ms, all at once", static milliseconds => milliseconds, Bar.AtMost(1.1)),
            fewAtATime.Compare($"ms, {few} at a time (the default)", static milliseconds => milliseconds),
        ];

        async Task<double> OursAsync(int concurrentOpens)
        {
            var options = Contestants.OurOptions(connectionString, Connections, Connections);
            options.MaxConcurrentOpens = concurrentOpens;
            var start = Stopwatch.GetTimestamp();
            await using var pool = new ConnectionPool(options);
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
