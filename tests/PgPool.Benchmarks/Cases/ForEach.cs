using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class ForEach : IBenchmark
{
    private const int Degree = 8;

    public string Name => "foreach";

    public string What => $"SELECT 1 for each of many items, {Degree} at once: ForEachAsync / a loop that rents per item on Npgsql";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var count = context.Count(8_000, 500);
        var items = Enumerable.Range(0, count);
        await using var pools = await context.StartAsync(Degree);
        var comparison = await context.CompareAsync(rounds: 11,
            () => Sample.PerOperationAsync(count, OursAsync),
            () => Sample.PerOperationAsync(count, PeerAsync));
        return
        [
            comparison.Compare("µs per item", static sample => sample.Microseconds, Bar.AtMost(0.60)),
            comparison.Show("bytes per item", static sample => sample.Bytes),
        ];

        Task OursAsync() => pools.Ours.ForEachAsync(items, Degree, static async (lease, _, cancellationToken) =>
        {
            await using var command = lease.CreateCommand(Work.Sql);
            await command.ExecuteScalarAsync(cancellationToken);
        });

        Task PeerAsync() => Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = Degree },
            async (_, cancellationToken) => await Work.SelectOneAsync(pools.Peer, cancellationToken));
    }
}
