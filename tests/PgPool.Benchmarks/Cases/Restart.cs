using System.Data.Common;
using System.Diagnostics;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class Restart : IBenchmark
{
    private const int Workers = 32;

    public string Name => "restart";

    public string What => $"the server is down for a second under {Workers} workers: how soon they go on, how often the pool knocks";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var samples = new List<(double Recovery, double Connects)>();
        for (var round = context.Count(3, 1); round > 0; round--)
            samples.Add(await MeasureAsync(context));
        return
        [
            new Finding("worst ms from accepting to first success", samples.Max(static sample => sample.Recovery), Bar: Bar.AtMost(200)),
            new Finding("worst connects per second while down", samples.Max(static sample => sample.Connects), Bar: Bar.AtMost(20)),
        ];
    }

    /// <returns>Milliseconds to the first success, and connects per second while down.</returns>
    private static async Task<(double Recovery, double Connects)> MeasureAsync(BenchmarkContext context)
    {
        await using var outage = Outage.Of(context.Server);
        var options = Contestants.OurOptions(outage.ConnectionString, minSize: 1, maxSize: 8);
        options.MaxReconnectDelay = TimeSpan.FromMilliseconds(100);
        await using var pool = new ConnectionPool(options);
        await pool.WarmUpAsync();

        using var stop = new CancellationTokenSource();
        var recovered = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var isOver = false;
        var workers = Enumerable.Range(0, Workers).Select(_ => Task.Run(WorkAsync)).ToArray();
        await Task.Delay(context.Count(300, 100));

        await outage.BeginAsync();
        var down = Stopwatch.GetTimestamp();
        var failedBefore = pool.GetStatistics().OpenFailed;
        await Task.Delay(context.Count(1_000, 500));
        var connects = (pool.GetStatistics().OpenFailed - failedBefore) / Stopwatch.GetElapsedTime(down).TotalSeconds;

        // From here on a success is one after the outage: the last one from before was long ago.
        Volatile.Write(ref isOver, true);
        var accepting = await outage.EndAsync();
        var success = await recovered.Task;

        await stop.CancelAsync();
        await Task.WhenAll(workers);
        return (Math.Max(0, Stopwatch.GetElapsedTime(accepting, success).TotalMilliseconds), connects);

        async Task WorkAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await Work.SelectOneAsync(pool);
                    if (Volatile.Read(ref isOver))
                        recovered.TrySetResult(Stopwatch.GetTimestamp());
                }
                catch (DbException)
                {
                    // What a worker of a migration does: it tries again.
                }
            }
        }
    }
}
