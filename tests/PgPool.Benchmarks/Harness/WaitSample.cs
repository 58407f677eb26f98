using System.Diagnostics;

namespace PgPool.Benchmarks.Harness;

/// <summary>What a round of many renters showed: how fast they were served, and how long they waited for a connection.</summary>
internal sealed class WaitSample
{
    private readonly TimeSpan[] _waits;

    public WaitSample(TimeSpan elapsed, IEnumerable<TimeSpan> waits)
    {
        _waits = [.. waits.Order()];
        OperationsPerSecond = _waits.Length / elapsed.TotalSeconds;
    }

    public double OperationsPerSecond { get; }

    public double P50 => At(0.50);

    public double P99 => At(0.99);

    public double Longest => At(1);

    /// <summary>Runs workers, each of which does the operation again and again.</summary>
    /// <param name="workers">How many at once.</param>
    /// <param name="perWorker">How often each does it.</param>
    /// <param name="operation">Returns how long it waited for a connection, measured inside.</param>
    public static async Task<WaitSample> OfWorkersAsync(int workers, int perWorker, Func<Task<TimeSpan>> operation)
    {
        var start = Stopwatch.GetTimestamp();
        var waits = await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(WorkAsync)));
        return new WaitSample(Stopwatch.GetElapsedTime(start), waits.SelectMany(static ofWorker => ofWorker));

        async Task<TimeSpan[]> WorkAsync()
        {
            var ofWorker = new TimeSpan[perWorker];
            for (var i = 0; i < perWorker; i++)
                ofWorker[i] = await operation();
            return ofWorker;
        }
    }

    /// <summary>In milliseconds.</summary>
    private double At(double share) => _waits[(int)(share * (_waits.Length - 1))].TotalMilliseconds;
}
