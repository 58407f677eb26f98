using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class Load(SessionReset reset) : IBenchmark
{
    private const int Workers = 32;
    private const int Connections = 8;

    public string Name => reset == SessionReset.Full ? "load" : "load-noreset";

    public string What => $"{Workers} workers on {Connections} connections, SELECT 1, " +
        (reset == SessionReset.Full ? "each session reset in full" : "no session reset");

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var perWorker = context.Count(300, 20);
        await using var pools = await context.StartAsync(Connections, reset);
        var comparison = await context.CompareAsync(rounds: 15,
            () => WaitSample.OfWorkersAsync(Workers, perWorker, () => Work.SelectOneAsync(pools.Ours)),
            () => WaitSample.OfWorkersAsync(Workers, perWorker, () => Work.SelectOneAsync(pools.Peer)));
        return
        [
            comparison.Compare("op/s", static sample => sample.OperationsPerSecond, Bar.AtLeast(reset == SessionReset.Full ? 0.75 : 1.05)),
            comparison.Show("wait p50, ms", static sample => sample.P50),
            comparison.Show("wait p99, ms", static sample => sample.P99),
            comparison.Show("wait max, ms", static sample => sample.Longest),
            comparison.Show("wait p99 / p50", static sample => sample.P99 / sample.P50, Bar.AtMost(3)),
        ];
    }
}
