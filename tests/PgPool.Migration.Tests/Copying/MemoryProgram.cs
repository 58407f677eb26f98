using System.Diagnostics;

namespace PgPool.Migration.Tests.Copying;

/// <summary>A program that copies tables with two workers and tells how much memory it took at most.</summary>
internal static class MemoryProgram
{
    public const string Name = "copy-memory";

    /// <summary>Name the environment variables with the connection strings.</summary>
    public const string SourceVariable = "PGPOOL_COPY_SOURCE";

    public const string TargetVariable = "PGPOOL_COPY_TARGET";

    public static async Task<int> RunAsync(string[] tables)
    {
        await using var source = Pool(SourceVariable);
        await using var target = Pool(TargetVariable);
        var run = new MigrationRun("memory", source, target, new() { Degree = 2, PartitionBytes = 1 << 20 });

        var report = await run.CopyAsync(tables.Select(table => new TableCopy(table)));

        using var process = Process.GetCurrentProcess();
        Console.WriteLine($"{report.Rows} {report.Bytes} {process.PeakWorkingSet64}");
        return 0;
    }

    private static ConnectionPool Pool(string variable) => new(new ConnectionPoolOptions(
        Environment.GetEnvironmentVariable(variable) ?? throw new InvalidOperationException($"{variable} is not set."))
    { MaxSize = 3 });
}
