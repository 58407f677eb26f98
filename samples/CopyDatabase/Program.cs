using System.Data.Common;
using System.Runtime.InteropServices;
using CopyDatabase;
using Npgsql;
using PgPool.Migration;
using PgPool.TestSupport;
using Spectre.Console;

// The threads that hear of the sockets run what waits for them, too: a switch of threads less for every arrival; the README has what it gives. Npgsql
// blocks in one place, where a command is cancelled, until another socket is heard of: so there is a thread for each. Both are read with the first socket.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT", "64");

// In a file or a pipe, a line is a line.
if (Console.IsOutputRedirected)
    AnsiConsole.Profile.Width = 200;

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

// What is stopped ends at once, unless a server does not answer: then it is left.
var patience = TimeSpan.FromSeconds(1.8);
using var cancellation = new CancellationTokenSource();
using var overdue = new CancellationTokenSource();
using var stopping = cancellation.Token.Register(() => overdue.CancelAfter(patience));
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

DatabaseMove? move = null;
try
{
    if (arguments is { Source: { } from, Target: { } to })
        return await MoveAsync(from, to, arguments).WaitAsync(overdue.Token);

    AnsiConsole.WriteLine("Starting PostgreSQL ...");
    await using var server = await PostgresServer.StartAsync(cancellationToken: cancellation.Token);
    from = await server.CreateDatabaseAsync();
    to = await server.CreateDatabaseAsync();
    return await MoveAsync(from, to, arguments with { Demo = true, DisableTriggers = true }).WaitAsync(overdue.Token);
}
catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
{
    Console.Error.WriteLine(move is { HasBegun: true } && arguments.Target is not null
        ? $"Stopped. What is copied stays. To go on: the same command with --resume {move.Id}"
        : "Stopped.");
    return 130;
}
catch (Exception e) when (e is MigrationException or DbException or InvalidOperationException)
{
    // Of a broken connection, only Npgsql's inner exception says how it broke; the package's own messages say it all.
    Console.Error.WriteLine(e is NpgsqlException { InnerException: { } cause } ? $"{e.Message}: {cause.Message}" : e.Message);
    if (move is { HasBegun: true })
        Console.Error.WriteLine($"The run is {move.Id}: --resume goes on with it.");
    return 1;
}

async Task<int> MoveAsync(string from, string to, Arguments what)
{
    await using (move = new DatabaseMove(from, to, what))
        return await move.RunAsync(cancellation.Token) ? 0 : 1;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = !cancellation.IsCancellationRequested; // the second Ctrl-C is not asked for patience
    cancellation.Cancel();
}
