namespace PgPool.Benchmarks.Harness;

/// <summary>Runs a case so that the others can follow, whatever becomes of it.</summary>
internal static class Runner
{
    /// <summary>Ten times what the slowest case takes: one that takes longer hangs.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    public static async Task<BenchmarkResult> RunAsync(IBenchmark benchmark, BenchmarkContext context)
    {
        try
        {
            return new BenchmarkResult(benchmark.Name, await Task.Run(() => benchmark.RunAsync(context)).WaitAsync(Deadline));
        }
        // Whatever it was: it is reported, and the process fails in the end.
        catch (Exception exception)
        {
            Console.Error.WriteLine(exception);
            return new BenchmarkResult(benchmark.Name, [], exception.Message);
        }
    }
}
