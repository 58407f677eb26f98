using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

public class WaitingTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>One connection, lent: whoever rents waits for it.</summary>
    private static EngineHarness NewPoolOfOne(int maxWaiting = int.MaxValue)
        => new(options => options with { MaxSize = 1, MaxWaiting = maxWaiting });

    [Theory]
    [InlineData("aaaaaa")]
    [InlineData("bbbbbb")]
    [InlineData("abbaba")]
    public async Task Rent_AsyncAndBlockingWaitersMixed_ServedInTheOrderOfTheirComing(string kinds)
    {
        await using var pool = NewPoolOfOne();
        var lease = await pool.LeaseAsync();
        var rents = new List<Task<Rented>>();
        foreach (var kind in kinds)
            rents.Add(kind == 'b' ? await pool.BlockAsync() : pool.RentAsync());

        foreach (var rent in rents)
        {
            Assert.All(rents.SkipWhile(other => other != rent), waiting => Assert.False(waiting.IsCompleted));
            lease.Return();
            lease = (await rent.OrHangsAsync()).Lease;
            pool.AssertInvariants();
        }
    }

    [Fact]
    public async Task Rent_Priorities_HigherFirstAndFirstComeFirstServedWithin()
    {
        await using var pool = NewPoolOfOne();
        var lease = await pool.LeaseAsync();
        RentPriority[] order = [RentPriority.Low, RentPriority.Normal, RentPriority.High, RentPriority.Normal, RentPriority.High];
        var rents = order.Select(priority => pool.RentAsync(priority: priority)).ToArray();

        foreach (var next in new[] { 2, 4, 1, 3, 0 })
        {
            lease.Return();
            lease = (await rents[next].OrHangsAsync()).Lease;
        }
    }

    [Fact]
    public async Task Rent_QueueFull_IsRejectedAtOnce()
    {
        await using var pool = NewPoolOfOne(maxWaiting: 1);
        var lease = await pool.LeaseAsync();
        var first = pool.RentAsync();

        var second = await pool.RentAsync().OrHangsAsync();

        Assert.Equal(RentOutcome.QueueFull, second.Outcome);
        Assert.Equal((1, 1L), (pool.Statistics.Waiting, pool.Statistics.Rejected));
        lease.Return();
        Assert.Equal(RentOutcome.Lent, (await first.OrHangsAsync()).Outcome);
    }

    [Fact]
    public async Task Rent_MaxWaitingZero_NeverWaitsButTakesWhatIsIdle()
    {
        await using var pool = NewPoolOfOne(maxWaiting: 0);

        Assert.Equal(RentOutcome.QueueFull, (await pool.RentAsync().OrHangsAsync()).Outcome);
        await pool.BecomesAsync(statistics => statistics.Idle == 1);

        Assert.Equal(RentOutcome.Lent, (await pool.RentAsync().OrHangsAsync()).Outcome);
    }

    [Fact]
    public async Task Rent_Nested_RefusedOnlyWhenEveryConnectionIsLent()
    {
        await using var pool = new EngineHarness();
        var nested = new RentDetails { RefuseWhenFull = true };
        await pool.LeaseAsync();

        var second = await pool.RentAsync(details: nested).OrHangsAsync();
        var third = await pool.RentAsync(details: nested).OrHangsAsync();

        Assert.Equal((RentOutcome.Lent, RentOutcome.CouldDeadlock), (second.Outcome, third.Outcome));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rent_Timeout_EndsExactlyThen(bool blocking)
    {
        await using var pool = NewPoolOfOne();
        await pool.LeaseAsync();
        var rent = blocking ? await pool.BlockAsync(timeout: 3 * Second) : pool.RentAsync(timeout: 3 * Second);
        await pool.BecomesAsync(statistics => statistics.Waiting == 1);

        pool.Advance(3 * Second - TimeSpan.FromMilliseconds(1));
        Assert.Equal((1, 0L), (pool.Statistics.Waiting, pool.Statistics.TimedOut));
        pool.Advance(TimeSpan.FromMilliseconds(1));

        var rented = await rent.OrHangsAsync();
        Assert.Equal((RentOutcome.TimedOut, 3 * Second), (rented.Outcome, rented.Waited));
        Assert.Equal((0, 1L), (pool.Statistics.Waiting, pool.Statistics.TimedOut));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rent_Cancelled_EndsAtOnce(bool blocking)
    {
        await using var pool = NewPoolOfOne();
        await pool.LeaseAsync();
        using var cancellation = new CancellationTokenSource();
        var rent = blocking
            ? await pool.BlockAsync(cancellation: cancellation)
            : pool.RentAsync(cancellation: cancellation);

        await cancellation.CancelAsync();

        Assert.Equal(RentOutcome.Cancelled, (await rent.OrHangsAsync()).Outcome);
        Assert.Equal((0, 1L), (pool.Statistics.Waiting, pool.Statistics.Cancelled));
    }

    [Fact]
    public async Task Rent_TokenCancelledBefore_DoesNotWait()
    {
        await using var pool = NewPoolOfOne();
        await pool.LeaseAsync();
        using var cancellation = new CancellationTokenSource();
        await cancellation.CancelAsync();

        Assert.Equal(RentOutcome.Cancelled, (await pool.RentAsync(cancellation: cancellation).OrHangsAsync()).Outcome);
        Assert.Equal(0, pool.Statistics.Waiting);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Return_HeadHasGivenUp_ServesTheNext(bool byTimeout)
    {
        await using var pool = NewPoolOfOne();
        var lease = await pool.LeaseAsync();
        using var cancellation = new CancellationTokenSource();
        var first = pool.RentAsync(timeout: Second, cancellation: cancellation);
        var second = pool.RentAsync();

        if (byTimeout)
            pool.Advance(Second);
        else
            await cancellation.CancelAsync();
        lease.Return();

        Assert.Equal(byTimeout ? RentOutcome.TimedOut : RentOutcome.Cancelled, (await first.OrHangsAsync()).Outcome);
        Assert.Equal(RentOutcome.Lent, (await second.OrHangsAsync()).Outcome);
    }

    [Fact]
    public async Task Return_JustBeforeTheTimeout_ServesTheWaiter()
    {
        await using var pool = NewPoolOfOne();
        var lease = await pool.LeaseAsync();
        var rent = pool.RentAsync(timeout: Second);

        lease.Return();
        pool.Advance(Second);

        Assert.Equal(RentOutcome.Lent, (await rent.OrHangsAsync()).Outcome);
        Assert.Equal(0, pool.Statistics.TimedOut);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rent_OnARecycledWaiter_IsNotHitByTheRentBefore(bool blocking)
    {
        await using var pool = NewPoolOfOne();
        var lease = await pool.LeaseAsync();
        using var cancellation = new CancellationTokenSource();
        var first = blocking ? await pool.BlockAsync(timeout: Second, cancellation: cancellation)
            : pool.RentAsync(timeout: Second, cancellation: cancellation);
        lease.Return();
        await first.OrHangsAsync();

        var second = blocking ? await pool.BlockAsync() : pool.RentAsync();
        await cancellation.CancelAsync();
        pool.Advance(2 * Second);

        Assert.Equal((1, 0L, 0L), (pool.Statistics.Waiting, pool.Statistics.Cancelled, pool.Statistics.TimedOut));
        (await first).Return();
        Assert.Equal(RentOutcome.Lent, (await second.OrHangsAsync()).Outcome);
    }

    [Fact]
    public async Task Statistics_WhileWaiting_TellTheLongestWait()
    {
        await using var pool = NewPoolOfOne();
        await pool.LeaseAsync();
        var low = pool.RentAsync(priority: RentPriority.Low, timeout: 5 * Second);
        pool.Advance(2 * Second);
        var high = pool.RentAsync(priority: RentPriority.High, timeout: 5 * Second);

        Assert.Equal(2 * Second, pool.Statistics.LongestWait);
        pool.Advance(3 * Second);
        Assert.Equal(3 * Second, pool.Statistics.LongestWait);
        pool.Advance(2 * Second);

        Assert.Equal([RentOutcome.TimedOut, RentOutcome.TimedOut], (await Task.WhenAll(low, high).OrHangsAsync()).Select(rent => rent.Outcome));
    }
}
