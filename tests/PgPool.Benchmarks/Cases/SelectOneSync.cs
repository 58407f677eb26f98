using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class SelectOneSync(SessionReset reset) : IBenchmark
{
    public string Name => reset == SessionReset.Full ? "select1-sync" : "select1-sync-noreset";

    public string What => reset == SessionReset.Full
        ? "select1 with calls that block, each session reset in full"
        : "select1 with calls that block, no session reset";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var count = context.Count(3_000, 200);
        await using var pools = await context.StartAsync(size: 8, reset);
        var comparison = await context.CompareAsync(rounds: 15,
            () => MeasureAsync(count, () => Work.SelectOne(pools.Ours)),
            () => MeasureAsync(count, () => Work.SelectOne(pools.Peer)));
        return
        [
            comparison.Compare("µs per cycle", static sample => sample.Microseconds),
            comparison.Show("bytes per cycle", static sample => sample.Bytes),
        ];
    }

    private static Task<Sample> MeasureAsync(int count, Action selectOne) => Sample.PerOperationAsync(count, () =>
    {
        for (var i = 0; i < count; i++)
            selectOne();
        return Task.CompletedTask;
    });
}
