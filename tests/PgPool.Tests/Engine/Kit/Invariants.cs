using PgPool.Engine;
using Xunit;

namespace PgPool.Tests.Engine.Kit;

/// <summary>What holds of a pool at every instant.</summary>
internal sealed class Invariants(PoolEngine<FakeConnection> engine, FakeDriver driver)
{
    private int _bound = engine.MaxSize;

    /// <summary>The largest rent that may be waiting: fewer idle connections than that do not serve it.</summary>
    public int LargestNeed { get; set; } = 1;

    /// <summary>For a pool at rest but for what the test itself does, so that two looks at it see the same.</summary>
    public void AssertAtRest()
    {
        AssertAtWork();
        var statistics = engine.GetStatistics();
        Assert.Equal(statistics.Leased, engine.GetLeases().Count);
        // A connection that was dropped is never closed: it is garbage.
        var live = driver.Live - (int)statistics.ClosedByReason[CloseReason.Abandoned];
        Assert.InRange(live, statistics.Total - statistics.Resetting, statistics.Total + statistics.Opening);
    }

    /// <summary>For a pool that works by itself meanwhile, but is suspended and resumed by the test alone.</summary>
    public void AssertAtWork()
    {
        var mayLend = !engine.IsSuspended;
        AssertAnytime(engine.GetStatistics(), mayLend);
    }

    /// <summary>Of one look at the pool, whatever happens meanwhile.</summary>
    public void AssertAnytime(PoolStatistics statistics, bool mayLend)
    {
        var permits = statistics.Total + statistics.Opening;
        // A pool made smaller has more than it may, and never more again than it had.
        _bound = Math.Max(statistics.MaxSize, Math.Min(_bound, permits));
        Assert.True(permits <= _bound, $"More than {_bound} permits: {statistics}");
        Assert.Equal(statistics.Total, statistics.Idle + statistics.Leased + statistics.Resetting);
        Assert.True(
            !mayLend || statistics.Waiting == 0 || statistics.Resetting > 0 || statistics.Idle < LargestNeed,
            $"Somebody waits while connections are idle: {statistics}");
        Assert.Equal(statistics.Opened - statistics.Closed, statistics.Total);
        Assert.Empty(driver.Faults);
    }

    /// <summary>Of a pool that has ended.</summary>
    public void AssertSettled()
    {
        AssertAtRest();
        var statistics = engine.GetStatistics();
        Assert.Equal((0, 0, 0), (statistics.Total, statistics.Opening, statistics.Waiting));
        Assert.Equal(TimeSpan.Zero, statistics.LongestWait);
    }
}
