using CsCheck;
using Microsoft.Extensions.Time.Testing;
using PgPool.Migration.Updating;
using Xunit;

namespace PgPool.Migration.Tests.Updating;

public sealed class RangeSizePropertyTests
{
    [Fact]
    public void Took_AnyTimes_ChangesByAFactorOfTwoWithinBounds() => Gen.Int[0, 5000].Array[0, 30].Sample(static times =>
    {
        var clock = new FakeTimeProvider();
        var size = new RangeSize(clock);
        foreach (var milliseconds in times)
        {
            var before = size.Keys;
            Take(size, clock, TimeSpan.FromMilliseconds(milliseconds));
            Assert.InRange(size.Keys, Math.Max(100, before / 2), Math.Min(100_000, before * 2));
            Assert.True(milliseconds >= 500 ? size.Keys <= before : size.Keys >= before);
        }
    });

    [Fact]
    public void Took_SteadyPace_ComesToHalfASecondOrTheNearestBound() => Gen.Double[0.0001, 20].Sample(static millisecondsPerKey =>
    {
        var clock = new FakeTimeProvider();
        var size = new RangeSize(clock);
        for (var i = 0; i < 20; i++)
            Take(size, clock, TimeSpan.FromMilliseconds(size.Keys * millisecondsPerKey));
        var wanted = Math.Clamp(500 / millisecondsPerKey, 100, 100_000);
        Assert.InRange(size.Keys, wanted * 0.95, wanted * 1.05);
    });

    private static void Take(RangeSize size, FakeTimeProvider clock, TimeSpan time)
    {
        var began = clock.GetTimestamp();
        clock.Advance(time);
        size.Took(size.Keys, began);
    }
}
