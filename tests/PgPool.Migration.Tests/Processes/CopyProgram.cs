using System.Diagnostics;
using System.Globalization;

namespace PgPool.Migration.Tests.Processes;

/// <summary>A process that copies, and at some point of its clock is gone without a word.</summary>
internal static class CopyProgram
{
    public const string Name = "copy";
    public const string SourceVariable = "PGPOOL_COPY_SOURCE";
    public const string TargetVariable = "PGPOOL_COPY_TARGET";

    /// <summary>By key, by blocks, and whole; the tests make and fill them.</summary>
    public static IReadOnlyList<TableCopy> Tables { get; } =
    [
        new("keyed"), new("heap") { PartitionBy = PartitionBy.Blocks }, new("small") { PartitionBy = PartitionBy.Whole }, new("doubled") { Mode = TargetMode.Upsert },
    ];

    /// <param name="arguments">The id of the run, after how many looks at the clock the process ends (0: never), and its bytes per second.</param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        await using var source = new ConnectionPool(new ConnectionPoolOptions(Environment.GetEnvironmentVariable(SourceVariable)!) { MaxSize = 3 });
        await using var target = new ConnectionPool(new ConnectionPoolOptions(Environment.GetEnvironmentVariable(TargetVariable)!) { MaxSize = 2 });
        var run = new MigrationRun(arguments[0], source, target, new MigrationOptions
        {
            PartitionBytes = 8 * 1024,
            SourceIsFrozen = true,
            MaxBytesPerSecond = int.Parse(arguments[2], CultureInfo.InvariantCulture),
            TimeProvider = new EndingClock(int.Parse(arguments[1], CultureInfo.InvariantCulture)),
        });
        var report = await run.CopyAsync(Tables);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Rows} {report.PartitionsSkipped} {report.Tables.Sum(table => table.Partitions)}"));
        return 0;
    }

    // A run looks at the clock wherever something begins, ends, moves or is waited for, on whichever worker: so it ends anywhere, with the other
    // workers anywhere else, and the same number ends it at about the same point.
    private sealed class EndingClock(int looks) : TimeProvider
    {
        private int _left = looks;

        public override long GetTimestamp()
        {
            if (Interlocked.Decrement(ref _left) == 0)
                Process.GetCurrentProcess().Kill();
            return base.GetTimestamp();
        }
    }
}
