using System.Diagnostics;

namespace PgPool.Benchmarks.Harness;

/// <summary>What one operation cost, on average over a round.</summary>
internal readonly record struct Sample(double Nanoseconds, double Bytes)
{
    public double Microseconds => Nanoseconds / 1000;

    /// <summary>Allocations are those of the whole process: an operation may go on on another thread.</summary>
    public static async Task<Sample> PerOperationAsync(int operations, Func<Task> run)
    {
        var bytes = GC.GetTotalAllocatedBytes(precise: true);
        var start = Stopwatch.GetTimestamp();
        await run();
        var elapsed = Stopwatch.GetElapsedTime(start);
        bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
        // To a tenth: what the process allocates besides, now and then, is not to make 64 bytes 64.001.
        return new Sample(elapsed.TotalNanoseconds / operations, Math.Round((double)bytes / operations, 1));
    }
}
