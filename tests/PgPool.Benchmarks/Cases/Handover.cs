using System.Diagnostics;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class Handover : IBenchmark
{
    private const int ShortQueue = 1_000;

    public string Name => "handover";

    public string What => "one connection goes through a queue of 100,000: does its length cost, and what does a waiter weigh";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var longQueue = context.Count(100_000, 5_000);
        await using var pools = await context.StartAsync(size: 1);
        var ours = await context.CompareAsync(rounds: 5,
            () => MeasureAsync(HoldOursAsync, OursAsync, longQueue, times: 1),
            () => MeasureAsync(HoldOursAsync, OursAsync, ShortQueue, times: longQueue / ShortQueue));
        var peer = await context.CompareAsync(rounds: 3,
            () => MeasureAsync(HoldPeerAsync, PeerAsync, longQueue, times: 1),
            () => MeasureAsync(HoldPeerAsync, PeerAsync, ShortQueue, times: longQueue / ShortQueue));

        // In these two comparisons one side is the long queue and the other the short one, of the same pool.
        return
        [
            new Finding($"ns per hand-over, {longQueue:#,0} waiting", ours.Ours(Nanoseconds), peer.Ours(Nanoseconds)),
            new Finding($"ns per hand-over, {ShortQueue:#,0} waiting", ours.Peer(Nanoseconds), peer.Peer(Nanoseconds)),
            new Finding("long queue / short queue", ours.Ratio(Nanoseconds), peer.Ratio(Nanoseconds), Bar: Bar.AtMost(3)),
            new Finding("live bytes per waiter, its task included", ours.Ours(Bytes), peer.Ours(Bytes), Bar: Bar.AtMost(700)),
        ];

        async Task<IAsyncDisposable> HoldOursAsync() => await pools.Ours.RentAsync();

        async Task<IAsyncDisposable> HoldPeerAsync() => await pools.Peer.OpenConnectionAsync();

        // The connection is never looked at: no reset, and so no server, takes part.
        async Task OursAsync()
        {
            await using var lease = await pools.Ours.RentAsync();
        }

        async Task PeerAsync()
        {
            await using var connection = await pools.Peer.OpenConnectionAsync();
        }
    }

    private static double Nanoseconds(Sample sample) => sample.Nanoseconds;

    private static double Bytes(Sample sample) => sample.Bytes;

    /// <summary>Lets a queue form behind a connection that is held, weighs it, and lets it run off.</summary>
    private static async Task<Sample> MeasureAsync(Func<Task<IAsyncDisposable>> holdAsync, Func<Task> rentAsync, int length, int times)
    {
        var waiting = new Task[length];
        var elapsed = TimeSpan.Zero;
        var bytes = 0L;
        for (var time = 0; time < times; time++)
        {
            var held = await holdAsync();
            Array.Clear(waiting);
            var before = GC.GetTotalMemory(forceFullCollection: true);
            for (var i = 0; i < length; i++)
                waiting[i] = rentAsync();
            bytes += GC.GetTotalMemory(forceFullCollection: true) - before;

            var start = Stopwatch.GetTimestamp();
            await held.DisposeAsync();
            await Task.WhenAll(waiting);
            elapsed += Stopwatch.GetElapsedTime(start);
        }
        var total = (double)length * times;
        return new Sample(elapsed.TotalNanoseconds / total, bytes / total);
    }
}
