using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class SelectOne(SessionReset reset, bool blocking) : IBenchmark
{
    private readonly bool _isFull = reset == SessionReset.Full;

    public string Name => "select1" + (blocking ? "-sync" : "") + (_isFull ? "" : "-noreset");

    public string What => "borrow, SELECT 1, return, " + (blocking ? "with calls that block, " : "") +
        (_isFull ? "each session reset in full" : "no session reset (SessionReset.None / No Reset On Close)");

    // The goals are of the asynchronous calls.
    private Bar? Bar => blocking ? null : Bar.AtMost(_isFull ? 0.80 : 0.95);

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var count = context.Count(3_000, 200);
        await using var pools = await context.StartAsync(size: 8, reset);
        var comparison = await context.CompareAsync(rounds: 15,
            () => MeasureAsync(count, () => Work.SelectOne(pools.Ours), () => Work.SelectOneAsync(pools.Ours)),
            () => MeasureAsync(count, () => Work.SelectOne(pools.Peer), () => Work.SelectOneAsync(pools.Peer)));
        return
        [
            comparison.Compare("µs per cycle", static sample => sample.Microseconds, Bar),
            comparison.Show("bytes per cycle", static sample => sample.Bytes),
        ];
    }

    private Task<Sample> MeasureAsync(int count, Action selectOne, Func<Task> selectOneAsync) => Sample.PerOperationAsync(count, async () =>
    {
        for (var i = 0; i < count; i++)
        {
            if (blocking)
                selectOne();
            else
                await selectOneAsync();
        }
    });
}
