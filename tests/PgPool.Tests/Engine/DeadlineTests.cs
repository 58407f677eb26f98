using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

/// <summary>Rents that give up, all by one timer.</summary>
public class DeadlineTests
{
    [Theory]
    [InlineData(1, 2, 3, 4)]
    [InlineData(4, 3, 2, 1)]
    [InlineData(2, 4, 1, 3)]
    [InlineData(2, 2, 1, 2)]
    public async Task Rent_TimeoutsInAnyOrder_EachEndsAtItsOwn(params int[] seconds)
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 1 });
        await pool.LeaseAsync();
        var rents = seconds.Select(timeout => (After: timeout, Rent: pool.RentAsync(timeout: TimeSpan.FromSeconds(timeout)))).ToArray();

        for (var second = 1; second <= seconds.Max(); second++)
        {
            pool.Advance(TimeSpan.FromMilliseconds(999));
            Assert.Equal(rents.Count(rent => rent.After >= second), pool.Statistics.Waiting);
            pool.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(rents.Count(rent => rent.After > second), pool.Statistics.Waiting);
        }

        foreach (var (after, rent) in rents)
        {
            var rented = await rent.OrHangsAsync();
            Assert.Equal((RentOutcome.TimedOut, TimeSpan.FromSeconds(after)), (rented.Outcome, rented.Waited));
        }
    }

    [Fact]
    public async Task Rent_ServedAndRentedAgain_NewDeadlineCounts()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 1 });
        var lease = await pool.LeaseAsync();
        var served = pool.RentAsync(timeout: TimeSpan.FromSeconds(2));
        lease.Return();
        lease = (await served.OrHangsAsync()).Lease;

        // On the same recycled waiter.
        pool.Advance(TimeSpan.FromSeconds(1));
        var later = pool.RentAsync(timeout: TimeSpan.FromSeconds(2));
        pool.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(1, pool.Statistics.Waiting);
        pool.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal(RentOutcome.TimedOut, (await later.OrHangsAsync()).Outcome);
        lease.Return();
    }

    [Fact]
    public async Task Rent_TimesOutAheadOfAGroup_TheGroupIsServed()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 3 });
        var leases = await pool.LeaseAsync(3);
        var three = pool.RentAsync(need: 3, timeout: TimeSpan.FromSeconds(1));
        var two = pool.RentAsync(need: 2);
        leases[0].Return();
        leases[1].Return();
        Assert.Equal(2, pool.Statistics.Waiting);

        pool.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(RentOutcome.TimedOut, (await three.OrHangsAsync()).Outcome);
        Assert.Equal(RentOutcome.Lent, (await two.OrHangsAsync()).Outcome);
    }
}
