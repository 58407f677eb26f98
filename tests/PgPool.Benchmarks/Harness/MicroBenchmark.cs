using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace PgPool.Benchmarks.Harness;

/// <summary>Has BenchmarkDotNet measure one method: in this process, where the pools are, and for a second or two.</summary>
internal static class MicroBenchmark
{
    private static readonly Job InProcess = Job.Default.WithToolchain(InProcessEmitToolchain.DontLogOutput);

    private static readonly Job Thorough =
        InProcess.WithWarmupCount(2).WithIterationCount(5).WithIterationTime(TimeInterval.FromMilliseconds(100));

    private static readonly Job Brief = InProcess.WithStrategy(RunStrategy.Monitoring)
        .WithWarmupCount(0).WithIterationCount(1).WithInvocationCount(1).WithUnrollFactor(1);

    public static Sample Measure<T>(string method, bool quick)
    {
        // It creates this folder even if it has nothing to put there.
        var artifacts = Directory.CreateTempSubdirectory("pgpool-benchmarks-");
        try
        {
            var config = ManualConfig.CreateEmpty()
                .AddJob(quick ? Brief : Thorough)
                .AddLogger(NullLogger.Instance)
                .WithArtifactsPath(artifacts.FullName)
                .WithOptions(ConfigOptions.DisableLogFile);
            var summary = BenchmarkRunner.Run(typeof(T), [typeof(T).GetMethod(method)!], config);
            if (summary.Reports is not [{ ResultStatistics: { } statistics } report])
            {
                var errors = summary.ValidationErrors.Where(static error => error.IsCritical).Select(static error => error.Message);
                throw new InvalidOperationException($"BenchmarkDotNet did not measure {method}. {string.Join(' ', errors)}");
            }
            return new Sample(statistics.Median, report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0);
        }
        finally
        {
            artifacts.Delete(recursive: true);
        }
    }
}
