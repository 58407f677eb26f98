using System.Text.Json;
using PgPool.Benchmarks;
using PgPool.Benchmarks.Charts;
using PgPool.Benchmarks.Harness;
using PgPool.TestSupport;

// Two harnesses. BenchmarkDotNet measures what takes nanoseconds and waits for nothing: the cycles of rent and return. What waits,
// loads a server or breaks it is measured by our own: BenchmarkDotNet knows no waits inside many workers, no server that restarts,
// and no count of the connections that were opened. Both sides take turns in either, round by round, in one process, and each round
// makes a ratio of its own: a claim here is a ratio against Npgsql's pool, and the machines it is measured on drift by more than
// the difference. That is why BenchmarkDotNet, which runs one side to its end before the other, is asked for several short rounds.

if (!Arguments.TryParse(args, out var arguments, out var error))
{
    Console.Error.WriteLine(error);
    Console.Error.WriteLine(Arguments.Usage);
    return 2;
}

if (arguments.List)
{
    foreach (var benchmark in Catalog.All)
        Console.WriteLine($"{benchmark.Name,-20} {benchmark.What}");
    return 0;
}

// Before anything runs: a run takes minutes.
if (arguments.ChartFile is not null && !Chart.HasFont)
{
    Console.Error.WriteLine(Chart.NoFont);
    return 2;
}

if (arguments.FromFile is { } earlier)
{
    try
    {
        return TryDraw(Report.FromJson(await File.ReadAllTextAsync(earlier))) ? 0 : 1;
    }
    catch (Exception exception) when (exception is IOException or JsonException)
    {
        Console.Error.WriteLine($"{earlier} cannot be drawn: {exception.Message}");
        return 2;
    }
}

#if DEBUG
Console.Error.WriteLine("A Debug build: its figures mean nothing. Run with -c Release.");
#endif

await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { MaxConnections = 200 });
var context = new BenchmarkContext(server, arguments.Quick);
var results = new List<BenchmarkResult>();
foreach (var benchmark in arguments.Benchmarks)
{
    Console.Error.WriteLine($"{benchmark.Name}: {benchmark.What}");
    results.Add(await Runner.RunAsync(benchmark, context));
}

var report = await Report.MakeAsync(server, arguments.Quick, results);
Console.WriteLine(report.ToMarkdown());
if (arguments.JsonFile is { } file)
    await File.WriteAllTextAsync(file, report.ToJson());
var isDrawn = TryDraw(report);

// A bar that is missed is a finding, not a failure: on somebody else's machine it may say more of the machine than of the pool.
return !isDrawn || results.Exists(static result => result.Error is not null) ? 1 : 0;

// True also where nothing was to be drawn.
bool TryDraw(Report drawn)
{
    if (arguments.ChartFile is not { } chart || Chart.TryDraw(drawn, chart))
        return true;
    Console.Error.WriteLine("There is nothing to draw: no ratio with a bar, and no curve.");
    return false;
}
