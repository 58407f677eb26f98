using Npgsql;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class SelectOne(SessionReset reset) : IBenchmark
{
    public string Name => reset == SessionReset.Full ? "select1" : "select1-noreset";

    public string What => reset == SessionReset.Full
        ? "borrow, SELECT 1, return, each session reset in full"
        : "borrow, SELECT 1, return, no session reset (SessionReset.None / No Reset On Close)";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var count = context.Count(3_000, 200);
        await using var pools = await context.StartAsync(size: 8, reset);
        var comparison = await context.CompareAsync(rounds: 15,
            () => Sample.PerOperationAsync(count, () => OursAsync(pools.Ours, count)),
            () => Sample.PerOperationAsync(count, () => PeerAsync(pools.Peer, count)));
        return
        [
            comparison.Compare("µs per cycle", static sample => sample.Microseconds, Bar.AtMost(reset == SessionReset.Full ? 0.80 : 0.95)),
            comparison.Show("bytes per cycle", static sample => sample.Bytes),
        ];
    }

    private static async Task OursAsync(ConnectionPool pool, int count)
    {
        for (var i = 0; i < count; i++)
            await Work.SelectOneAsync(pool);
    }

    private static async Task PeerAsync(NpgsqlDataSource peer, int count)
    {
        for (var i = 0; i < count; i++)
            await Work.SelectOneAsync(peer);
    }
}
