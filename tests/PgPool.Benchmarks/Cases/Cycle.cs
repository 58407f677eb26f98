using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class Cycle(bool blocking) : IBenchmark
{
    public string Name => blocking ? "cycle-sync" : "cycle-async";

    public string What => (blocking ? "Rent + Dispose" : "await RentAsync + DisposeAsync") + ", uncontended, nothing asked of the server";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var (ours, peer) = blocking
            ? (nameof(CycleBenchmarks.Ours), nameof(CycleBenchmarks.Peer))
            : (nameof(CycleBenchmarks.OursAsync), nameof(CycleBenchmarks.PeerAsync));
        await using var pools = await context.StartAsync(Cycles.PoolSize);
        CycleBenchmarks.Pools = pools;
        // BenchmarkDotNet warms up by itself, in each round.
        var comparison = await context.CompareAsync(rounds: 5, () => MeasureAsync(ours), () => MeasureAsync(peer), warmUps: 0);
        return
        [
            comparison.Compare("ns per cycle", static sample => sample.Nanoseconds, Bar.AtMost(0.40)),
            comparison.Show("bytes per cycle", static sample => sample.Bytes, Bar.AtMost(64)),
        ];

        Task<Sample> MeasureAsync(string method) => Task.FromResult(MicroBenchmark.Measure<CycleBenchmarks>(method, context.Quick));
    }
}
