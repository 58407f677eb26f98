using System.Diagnostics;
using System.Globalization;
using Npgsql;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases.Copying;

/// <summary>What reuse is worth where a table is moved in many small steps: the same copying, on leases and on connections opened for each part.</summary>
internal sealed class CopyParts : IBenchmark
{
    private const int Workers = 2;
    private const int RowsPerPart = 200;

    public string Name => "copy-parts";

    public string What => $"many parts of {RowsPerPart} rows, {Workers} at once: a lease of each pool for each / a connection of each side opened for each";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var parts = context.Count(500, 20);
        await using var arena = await Arena.CreateAsync(context, parts * RowsPerPart, Workers);
        var comparison = await context.CompareAsync(rounds: 7,
            () => MeasureAsync(arena, () => CopyAsync(parts, part => OnLeasesAsync(arena, part))),
            () => MeasureAsync(arena, () => CopyAsync(parts, part => OnConnectionsAsync(arena, part))),
            warmUps: 1);
        var run = await MeasureAsync(arena, () => arena.CopyAsync(Workers, Math.Max(8192, arena.Bytes / parts)));
        return
        [
            comparison.Compare("parts a second", elapsed => parts / elapsed.TotalSeconds, Bar.AtLeast(1.5)),
            new Finding("parts a second, CopyAsync, each with its checkpoint", parts / run.TotalSeconds),
        ];
    }

    private static async Task<TimeSpan> MeasureAsync(Arena arena, Func<Task> copyAsync)
    {
        await arena.ResetAsync();
        var start = Stopwatch.GetTimestamp();
        await copyAsync();
        var elapsed = Stopwatch.GetElapsedTime(start);
        await arena.CheckAsync();
        return elapsed;
    }

    private static Task CopyAsync(int parts, Func<int, Task> copyAsync) => Parallel.ForEachAsync(
        Enumerable.Range(0, parts), new ParallelOptions { MaxDegreeOfParallelism = Workers }, async (part, _) => await copyAsync(part));

    private static async Task OnLeasesAsync(Arena arena, int part)
    {
        await using var source = await arena.Source.RentAsync();
        await using var target = await arena.Target.RentAsync();
        await CopyPartAsync(source.Connection, target.Connection, part);
    }

    private static async Task OnConnectionsAsync(Arena arena, int part)
    {
        await using var source = await Arena.OpenAsync(arena.SourceConnection);
        await using var target = await Arena.OpenAsync(arena.TargetConnection);
        await CopyPartAsync(source, target, part);
    }

    private static async Task CopyPartAsync(NpgsqlConnection source, NpgsqlConnection target, int part)
    {
        var (first, last) = ((part * RowsPerPart) + 1, (part + 1) * RowsPerPart);
        await using var export = await source.BeginRawBinaryCopyAsync(string.Create(
            CultureInfo.InvariantCulture, $"COPY (SELECT * FROM accounts WHERE id BETWEEN {first} AND {last}) TO STDOUT (FORMAT binary)"));
        await using var import = await target.BeginRawBinaryCopyAsync("COPY accounts FROM STDIN (FORMAT binary)");
        await export.CopyToAsync(import);
    }
}
