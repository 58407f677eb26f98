using System.Diagnostics;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class CycleTwoThreads : IBenchmark
{
    public string Name => "cycle-2threads";

    public string What => "the async cycle on two threads at once: what the lock costs when it is contended";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var count = context.Count(200_000, 5_000);
        await using var pools = await context.StartAsync(Cycles.PoolSize);
        var comparison = await context.CompareAsync(rounds: 15,
            () => Task.FromResult(Measure(count, () => Cycles.OursAsync(pools.Ours, count))),
            () => Task.FromResult(Measure(count, () => Cycles.PeerAsync(pools.Peer, count))));
        return [comparison.Compare("ns per cycle, of either thread", static nanoseconds => nanoseconds, Bar.AtMost(0.80))];
    }

    /// <returns>The nanoseconds of a cycle.</returns>
    private static double Measure(int count, Func<Task> cycles)
    {
        // Threads of their own, that start together: the thread pool might run one task after the other.
        using var barrier = new Barrier(participantCount: 2);
        var elapsed = new TimeSpan[2];
        Thread[] threads = [new(() => Run(0)), new(() => Run(1))];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());
        return elapsed.Max(static time => time.TotalNanoseconds) / count;

        void Run(int thread)
        {
            barrier.SignalAndWait();
            var start = Stopwatch.GetTimestamp();
            // There are more connections than threads: it never waits, and so never leaves its thread.
            cycles().GetAwaiter().GetResult();
            elapsed[thread] = Stopwatch.GetElapsedTime(start);
        }
    }
}
