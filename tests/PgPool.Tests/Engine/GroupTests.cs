using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

public class GroupTests
{
    private static EngineHarness NewPool(int maxSize) => new(options => options with { MaxSize = maxSize });

    [Fact]
    public async Task RentMany_NotAllThere_TakesNoneUntilAllAre()
    {
        await using var pool = NewPool(3);
        await pool.FillAsync(3);
        var held = await pool.LeaseAsync(2);
        var group = pool.RentAsync(need: 3);

        held[0].Return();
        Assert.Equal((2, 1), (pool.Statistics.Idle, pool.Statistics.Waiting));
        held[1].Return();

        Assert.Equal(3, (await group.OrHangsAsync()).Leases.DistinctBy(lease => lease.Number).Count());
        pool.AssertInvariants();
    }

    [Fact]
    public async Task RentMany_EmptyPool_OpensAllItNeeds()
    {
        await using var pool = NewPool(10);
        var group = pool.RentAsync(need: 7);

        await pool.PassTimeAsync(TimeSpan.FromMilliseconds(1), () => group.IsCompleted);

        Assert.Equal(7, (await group).Leases.Count);
        Assert.Equal(7, pool.Driver.Opened);
    }

    [Fact]
    public async Task RentMany_TwoGroupsOfMoreThanHalf_ServedOneAfterTheOther()
    {
        await using var pool = NewPool(4);
        await pool.FillAsync(4);
        var first = await pool.RentAsync(need: 3).OrHangsAsync();
        var second = pool.RentAsync(need: 3);
        var third = pool.RentAsync(need: 3);

        first.Return();
        (await second.OrHangsAsync()).Return();

        Assert.Equal(RentOutcome.Lent, (await third.OrHangsAsync()).Outcome);
        pool.AssertInvariants();
    }

    [Fact]
    public async Task Rent_BehindAGroup_DoesNotOvertake()
    {
        await using var pool = NewPool(2);
        await pool.FillAsync(2);
        var held = await pool.LeaseAsync();
        var group = pool.RentAsync(need: 2);
        var small = pool.RentAsync();

        Assert.Equal((1, 2), (pool.Statistics.Idle, pool.Statistics.Waiting));
        held.Return();
        var leases = await group.OrHangsAsync();
        Assert.False(small.IsCompleted);
        leases.Return();

        Assert.Equal(RentOutcome.Lent, (await small.OrHangsAsync()).Outcome);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rent_BehindAGroupThatGivesUp_IsServed(bool byTimeout)
    {
        await using var pool = NewPool(2);
        await pool.FillAsync(2);
        await pool.LeaseAsync();
        using var cancellation = new CancellationTokenSource();
        var group = pool.RentAsync(need: 2, timeout: TimeSpan.FromSeconds(1), cancellation: cancellation);
        var small = pool.RentAsync();

        if (byTimeout)
            pool.Advance(TimeSpan.FromSeconds(1));
        else
            await cancellation.CancelAsync();

        Assert.Equal(RentOutcome.Lent, (await small.OrHangsAsync()).Outcome);
        Assert.Empty((await group.OrHangsAsync()).Leases);
        pool.AssertInvariants();
    }

    [Fact]
    public async Task Resize_BelowTheNeedOfAWaitingGroup_FailsItAndServesThoseBehind()
    {
        await using var pool = NewPool(3);
        await pool.FillAsync(3);
        await pool.LeaseAsync();
        var group = pool.RentAsync(need: 3);
        var small = pool.RentAsync();

        pool.Engine.Resize(0, 2);

        Assert.Equal(RentOutcome.TooManyForPool, (await group.OrHangsAsync()).Outcome);
        Assert.Equal(RentOutcome.Lent, (await small.OrHangsAsync()).Outcome);
    }

    [Fact]
    public async Task RentMany_MoreThanAPoolMadeSmallerMayHave_FailsInsteadOfWaitingForEver()
    {
        await using var pool = NewPool(3);
        pool.Engine.Resize(0, 2);

        var group = await pool.RentAsync(need: 3).OrHangsAsync();

        Assert.Equal(RentOutcome.TooManyForPool, group.Outcome);
        Assert.Equal(0, pool.Statistics.Opening);
    }

    [Fact]
    public async Task RentMany_TimeoutZero_TakesAllOrNothing()
    {
        await using var pool = NewPool(2);
        await pool.FillAsync(2);
        var held = await pool.LeaseAsync();

        Assert.Equal(RentOutcome.TimedOut, (await pool.RentAsync(need: 2, timeout: TimeSpan.Zero)).Outcome);
        Assert.Equal(1, pool.Statistics.Idle);
        held.Return();

        Assert.Equal(2, (await pool.RentAsync(need: 2, timeout: TimeSpan.Zero)).Leases.Count);
    }
}
