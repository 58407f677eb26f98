using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases.Copying;

internal sealed class CopyTable(int workers) : IBenchmark
{
    public string Name => $"copy-{workers}";

    public string What => $"CopyAsync of one table of 384 MB with {(workers == 1 ? "one worker" : $"{workers} workers")} / psql | psql, binary";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        await using var arena = await Arena.CreateAsync(context, context.Count(3_000_000, 20_000), workers);
        var comparison = await context.CompareAsync(rounds: 9,
            () => CopySample.MeasureAsync(arena, () => arena.CopyAsync(workers)),
            () => CopySample.MeasureAsync(arena, () => CopyTools.PipeAsync(arena)),
            warmUps: 1);
        List<Finding> findings = [comparison.Compare("MB/s", sample => arena.Bytes / 1e6 / sample.Elapsed.TotalSeconds, Bar.AtLeast(0.95))];
        if (comparison.Ours(static sample => sample.Backends.TotalSeconds) > 0)
            findings.Add(new Finding("its share of all processor time", comparison.Ours(static sample => sample.Share), Bar: Bar.AtMost(0.15)));
        return findings;
    }
}
