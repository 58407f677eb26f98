using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

/// <summary>Three rents, and every combination of how the driver's calls go that they meet at one of its await points.</summary>
public class CombinationTests
{
    private static readonly Answer[] Fates = [Answer.Ok, Answer.Error, Answer.Slow, Answer.Cancelled];

    public enum Point
    {
        Open,
        Validate,
        Reset,
        Close,
    }

    public static TheoryData<Point, int> PointsAndSizes => new(
        from point in Enum.GetValues<Point>()
        from maxSize in new[] { 1, 2, 3 }
        select (point, maxSize));

    /// <summary>A cancelled fate cancels the rent of the same turn, too, while the driver's call is held.</summary>
    [Theory]
    [MemberData(nameof(PointsAndSizes))]
    public async Task ThreeRents_EveryCombinationOfFates_AllEndAndNothingIsLeftOver(Point point, int maxSize)
    {
        foreach (var first in Fates)
        {
            foreach (var second in Fates)
            {
                foreach (var third in Fates)
                    await RunAsync(point, maxSize, [first, second, third]);
            }
        }
    }

    private static async Task RunAsync(Point point, int maxSize, Answer[] fates)
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = maxSize, ValidateAfterIdle = TimeSpan.FromSeconds(1) });
        if (point == Point.Validate)
        {
            await pool.FillAsync(maxSize);
            pool.Advance(TimeSpan.FromMinutes(1));
        }
        var gate = GateOf(pool.Driver, point);
        gate.Next([.. fates.Select(fate => fate == Answer.Cancelled ? Answer.Slow : fate)]);
        var cancellations = fates.Select(_ => new CancellationTokenSource()).ToArray();
        var rents = fates.Select((_, i) => RentUseReturnAsync(pool, point, i, cancellations[i])).ToArray();

        for (var i = 0; i < fates.Length; i++)
        {
            if (fates[i] == Answer.Cancelled)
                await cancellations[i].CancelAsync();
            pool.Invariants.AssertAtWork();
        }
        // What is held is let go step by step, as time goes on for what is retried or grows.
        await pool.PassTimeAsync(TimeSpan.FromMilliseconds(100), () =>
        {
            if (gate.Held > 0)
                gate.Release(point == Point.Open && fates.Contains(Answer.Cancelled) ? Answer.Cancelled : Answer.Ok);
            return rents.All(rent => rent.IsCompleted) && pool.Statistics is { Opening: 0, Resetting: 0 };
        });

        for (var i = 0; i < fates.Length; i++)
        {
            var outcome = await rents[i];
            Assert.True(outcome == RentOutcome.Lent || (outcome == RentOutcome.Cancelled && fates[i] == Answer.Cancelled), $"{string.Join(", ", fates)}: {outcome}");
            cancellations[i].Dispose();
        }
        Assert.Equal((0, 0), (pool.Statistics.Leased, pool.Statistics.Waiting));
    }

    private static async Task<RentOutcome> RentUseReturnAsync(EngineHarness pool, Point point, int turn, CancellationTokenSource cancellation)
    {
        var rented = await pool.RentAsync(cancellation: cancellation);
        foreach (var lease in rented.Leases)
        {
            if (point == Point.Close)
                lease.Discard();
            if (turn == 1)
                await Task.Run(lease.ReturnUsedHere);
            else
                lease.ReturnUsed();
        }
        return rented.Outcome;
    }

    private static Gate GateOf(FakeDriver driver, Point point) => point switch
    {
        Point.Open => driver.Open,
        Point.Validate => driver.Validate,
        Point.Reset => driver.Reset,
        _ => driver.Close,
    };
}
