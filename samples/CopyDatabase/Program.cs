using System.Data.Common;
using System.Diagnostics;
using CopyDatabase;
using Npgsql;
using PgPool;
using PgPool.TestSupport;
using Spectre.Console;

Arguments arguments;
try
{
    arguments = Arguments.Parse(args);
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

if (arguments.Help)
{
    Console.WriteLine(Arguments.Usage);
    return 0;
}

using var cancellation = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = !cancellation.IsCancellationRequested; // the second Ctrl-C is not asked for patience
    cancellation.Cancel();
};

try
{
    return arguments is { Source: { } from, Target: { } to }
        ? await CopyAsync(from, to, arguments, cancellation.Token)
        : await DemonstrateAsync(arguments, cancellation.Token);
}
catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
{
    Console.Error.WriteLine("Cancelled. Parts already copied stay in the target.");
    return 130;
}
catch (Exception e) when (e is CopyException or DbException or InvalidDataException or InvalidOperationException)
{
    // Of a broken connection, only Npgsql's inner exception says how it broke; the pool's own messages say it all.
    Console.Error.WriteLine(e is NpgsqlException { InnerException: { } cause } ? $"{e.Message}: {cause.Message}" : e.Message);
    return 1;
}

static async Task<int> DemonstrateAsync(Arguments arguments, CancellationToken cancellationToken)
{
    AnsiConsole.WriteLine("Starting PostgreSQL ...");
    await using var server = await PostgresServer.StartAsync(cancellationToken: cancellationToken);
    var (from, to) = (await server.CreateDatabaseAsync(), await server.CreateDatabaseAsync());

    AnsiConsole.WriteLine("Filling a database of some 300 MB ...");
    await using (var source = new ConnectionPool(BulkOptions(from, "demo source", maxSize: 4)))
    await using (var target = new ConnectionPool(BulkOptions(to, "demo target", maxSize: 1)))
    {
        await DemoDatabase.CreateSchemaAsync(source, cancellationToken);
        await DemoDatabase.CreateSchemaAsync(target, cancellationToken);
        await DemoDatabase.FillAsync(source, cancellationToken);
    }

    return await CopyAsync(from, to, arguments, cancellationToken);
}

static async Task<int> CopyAsync(string from, string to, Arguments arguments, CancellationToken cancellationToken)
{
    // The pools are the budget: never more connections than this, however many parts there are. One holds the source's snapshot.
    await using var source = new ConnectionPool(BulkOptions(from, "source", arguments.Workers + 1));
    await using var target = new ConnectionPool(BulkOptions(to, "target", arguments.Workers));

    await using var snapshot = await SourceSnapshot.TakeAsync(source, cancellationToken);
    var plan = await TargetDatabase.PrepareAsync(target, snapshot.Tables, arguments.Truncate, cancellationToken);
    var copier = new DatabaseCopier(source, target, snapshot, plan);

    AnsiConsole.WriteLine(
        $"Copying {snapshot.Tables.Count} tables in {plan.Waves.Sum(wave => wave.Count)} parts with {arguments.Workers} workers.");
    var started = Stopwatch.GetTimestamp();
    await Report.ShowProgressAsync(snapshot.Tables, copier.CopyAsync(arguments.Workers, cancellationToken));
    var elapsed = Stopwatch.GetElapsedTime(started);
    await Sequences.CopyAsync(source, target, cancellationToken);

    AnsiConsole.WriteLine("Verifying counts and checksums of both sides ...");
    var different = await Verification.FindDifferencesAsync(source, target, snapshot, arguments.Workers, cancellationToken);
    Report.ShowTables(snapshot.Tables, different, elapsed);
    Report.ShowPools(copier.LongestWait, source.GetStatistics(), target.GetStatistics());
    return different.Count == 0 ? 0 : 1;
}

static ConnectionPoolOptions BulkOptions(string connectionString, string name, int maxSize)
{
    var bulk = new NpgsqlConnectionStringBuilder(connectionString)
    {
        ApplicationName = "CopyDatabase",
        CommandTimeout = 0,             // a COPY takes as long as it takes; the server's lock_timeout bounds what may hang
        ReadBufferSize = 128 * 1024,    // 8 KiB by default: a system call for every few rows
        WriteBufferSize = 64 * 1024,
        TcpKeepAlive = true,            // the snapshot's connection is silent for as long as the copy runs
    };
    return new ConnectionPoolOptions(bulk.ConnectionString) { Name = name, MaxSize = maxSize };
}
