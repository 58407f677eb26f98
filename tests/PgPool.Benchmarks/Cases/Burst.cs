using System.Diagnostics;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

internal sealed class Burst(SessionReset reset) : IBenchmark
{
    private const int Connections = 8;

    public string Name => reset == SessionReset.Full ? "burst" : "burst-noreset";

    public string What => $"5,000 renters at once on {Connections} connections, SELECT 1 each, " +
        (reset == SessionReset.Full ? "each session reset in full" : "no session reset") + ": throughput, fairness, order";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var renters = context.Count(5_000, 500);
        await using var pools = await context.StartAsync(Connections, reset);
        var overtaken = 0;
        var comparison = await context.CompareAsync(rounds: 11, OursAsync, PeerAsync);
        return
        [
            comparison.Compare("op/s", static sample => sample.OperationsPerSecond, Bar.AtLeast(1.0)),
            // Served at an even pace and in order, the last one waits twice as long as the one in the middle.
            comparison.Show("longest wait / median wait", static sample => sample.Longest / sample.P50, Bar.AtMost(2.6)),
            new Finding("renters overtaken, in all rounds", overtaken, Bar: Bar.AtMost(0)),
        ];

        async Task<WaitSample> OursAsync()
        {
            var turns = new long[renters];
            var sample = await MeasureAsync(renters, renter => RentAsync(renter, turns));
            overtaken += turns.Zip(turns.Skip(1)).Count(static turn => turn.First > turn.Second);
            return sample;
        }

        Task<WaitSample> PeerAsync() => MeasureAsync(renters, _ => Work.SelectOneAsync(pools.Peer));

        // As Work.SelectOneAsync does, and notes its turn: the pool numbers its leases in the order in which it lends.
        async Task<TimeSpan> RentAsync(int renter, long[] turns)
        {
            var start = Stopwatch.GetTimestamp();
            await using var lease = await pools.Ours.RentAsync();
            var waited = Stopwatch.GetElapsedTime(start);
            turns[renter] = lease.Id;
            await using var command = lease.CreateCommand(Work.Sql);
            await command.ExecuteScalarAsync();
            return waited;
        }
    }

    private static async Task<WaitSample> MeasureAsync(int renters, Func<int, Task<TimeSpan>> rentAsync)
    {
        var start = Stopwatch.GetTimestamp();
        // All started by this thread: so they come in the order of their numbers.
        Task<TimeSpan>[] waits = [.. Enumerable.Range(0, renters).Select(rentAsync)];
        await Task.WhenAll(waits);
        return new WaitSample(Stopwatch.GetElapsedTime(start), waits.Select(static wait => wait.Result));
    }
}
