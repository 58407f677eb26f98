using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases.Copying;

internal sealed class CopyPeers : IBenchmark
{
    private const int Workers = 2;

    private static readonly (string Program, Func<Arena, Task> CopyAsync)[] Peers =
        [("pgcopydb", CopyTools.PgCopyDbAsync), ("pgloader", CopyTools.PgLoaderAsync)];

    public string Name => "copy-peers";

    public string What => $"the same table by {Workers} workers / by pgcopydb and pgloader, where they are installed";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        await using var arena = await Arena.CreateAsync(context, context.Count(3_000_000, 20_000), Workers);
        List<Finding> findings = [];
        foreach (var (program, copyAsync) in Peers)
        {
            if (!CopyTools.Has(program))
                continue;
            var comparison = await context.CompareAsync(rounds: 3,
                () => CopySample.MeasureAsync(arena, () => arena.CopyAsync(Workers)),
                () => CopySample.MeasureAsync(arena, () => copyAsync(arena)),
                warmUps: 1);
            findings.Add(comparison.Compare($"MB/s, {program}", sample => arena.Bytes / 1e6 / sample.Elapsed.TotalSeconds, Bar.AtLeast(1)));
        }

        return findings;
    }
}
