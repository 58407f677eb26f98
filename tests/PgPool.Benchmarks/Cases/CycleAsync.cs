using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class CycleAsync : IBenchmark
{
    public string Name => "cycle-async";

    public string What => "await RentAsync + DisposeAsync, uncontended, nothing asked of the server";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var count = context.Count(200_000, 5_000);
        await using var pools = await context.StartAsync(Cycles.PoolSize);
        var comparison = await context.CompareAsync(rounds: 15,
            () => Sample.PerOperationAsync(count, () => Cycles.OursAsync(pools.Ours, count)),
            () => Sample.PerOperationAsync(count, () => Cycles.PeerAsync(pools.Peer, count)));
        return
        [
            comparison.Compare("ns per cycle", static sample => sample.Nanoseconds, Bar.AtMost(0.40)),
            comparison.Show("bytes per cycle", static sample => sample.Bytes, Bar.AtMost(64)),
        ];
    }
}
