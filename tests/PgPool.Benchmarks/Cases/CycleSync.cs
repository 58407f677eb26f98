using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class CycleSync : IBenchmark
{
    public string Name => "cycle-sync";

    public string What => "Rent + Dispose, uncontended, nothing asked of the server";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var count = context.Count(200_000, 5_000);
        await using var pools = await context.StartAsync(Cycles.PoolSize);
        var comparison = await context.CompareAsync(rounds: 15,
            () => MeasureAsync(count, () => Cycles.Ours(pools.Ours, count)),
            () => MeasureAsync(count, () => Cycles.Peer(pools.Peer, count)));
        return
        [
            comparison.Compare("ns per cycle", static sample => sample.Nanoseconds, Bar.AtMost(0.40)),
            comparison.Show("bytes per cycle", static sample => sample.Bytes, Bar.AtMost(64)),
        ];
    }

    private static Task<Sample> MeasureAsync(int count, Action run) => Sample.PerOperationAsync(count, () =>
    {
        run();
        return Task.CompletedTask;
    });
}
