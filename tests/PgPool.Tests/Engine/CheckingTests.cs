using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

public class CheckingTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static EngineHarness NewPool(int maxSize, TimeSpan? validateAfterIdle = null)
        => new(options => options with { MaxSize = maxSize, ValidateAfterIdle = validateAfterIdle ?? 60 * Second });

    [Fact]
    public async Task Rent_IdleOfLateUse_IsNotPinged()
    {
        await using var pool = NewPool(1);
        await pool.FillAsync(1);
        pool.Advance(50 * Second);

        await pool.LeaseAsync();

        Assert.Equal(0, pool.Driver.Validate.Calls);
    }

    [Fact]
    public async Task Rent_IdleForLong_IsPingedBeforeItIsLent()
    {
        await using var pool = NewPool(1);
        await pool.FillAsync(1);
        pool.Driver.Validate.Next(Answer.Slow);
        pool.Advance(61 * Second);

        var rent = pool.RentAsync();
        Assert.Equal((1, 1), (pool.Statistics.Resetting, pool.Statistics.Waiting));
        pool.Driver.Validate.Release();

        Assert.Equal(1, (await rent.OrHangsAsync()).Lease.Number);
        Assert.Equal(0, pool.Statistics.Closed);
    }

    [Fact]
    public async Task Rent_AllIdleAreDead_StepsOverThemWithinOneRent()
    {
        await using var pool = NewPool(3);
        await pool.FillAsync(3);
        pool.Driver.Validate.Otherwise(Answer.Error);
        pool.Advance(61 * Second);

        var rent = await pool.RentAsync(timeout: Second).OrHangsAsync();

        Assert.Equal((RentOutcome.Lent, 4), (rent.Outcome, rent.Lease.Number));
        await pool.BecomesAsync(statistics => statistics is { Total: 1, Opening: 0 });
        Assert.Equal(3, pool.Statistics.ClosedByReason[CloseReason.ValidationFailed]);
    }

    [Fact]
    public async Task Rent_PingHangs_OpensAnotherMeanwhile()
    {
        await using var pool = NewPool(2);
        await pool.FillAsync(1);
        pool.Driver.Validate.Otherwise(Answer.Slow);
        pool.Advance(61 * Second);
        var rent = pool.RentAsync();

        pool.Advance(Second);

        Assert.Equal(2, (await rent.OrHangsAsync()).Lease.Number);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task RentMany_PingsEndOneAfterTheOther_IsServedAllTheSame(int milliseconds)
    {
        await using var pool = NewPool(3, TimeSpan.FromMilliseconds(milliseconds));
        await pool.FillAsync(3);
        pool.Advance(Second);
        pool.Driver.Validate.Otherwise(Answer.Slow);
        var group = pool.RentAsync(need: 3);

        for (var left = 2; left >= 0; left--)
        {
            pool.Advance(TimeSpan.FromMilliseconds(10));
            pool.Driver.Validate.Release();
            await pool.BecomesAsync(statistics => statistics.Resetting == left);
        }

        Assert.Equal(3, (await group.OrHangsAsync()).Leases.Count);
        Assert.Equal(3, pool.Driver.Validate.Calls);
    }

    [Theory]
    [InlineData(Answer.Error, 2)]
    [InlineData(Answer.Ok, 0)]
    public async Task Return_ResetFails_MakesTheOlderOnesSuspect(Answer reset, int pings)
    {
        await using var pool = NewPool(3);
        await pool.FillAsync(3);
        var lease = await pool.LeaseAsync();
        pool.Driver.Reset.Next(reset);
        lease.ReturnUsed();
        await pool.BecomesAsync(statistics => statistics.Resetting == 0);
        pool.Advance(TimeSpan.FromMilliseconds(1));

        await pool.LeaseAsync(2);

        Assert.Equal(pings, pool.Driver.Validate.Calls);
    }

    [Fact]
    public async Task SessionBreaks_UnderItsLease_TheIdleOnesAreSuspectAtOnce()
    {
        await using var pool = NewPool(3);
        await pool.FillAsync(3);
        await pool.LeaseAsync();
        pool.Driver.Break();

        await pool.LeaseAsync(2);

        Assert.Equal([2, 1], pool.Driver.Validated);
    }

    [Fact]
    public async Task SessionBreaks_NobodyRents_TheDeadAreReplacedByMaintenance()
    {
        await using var pool = new EngineHarness(options => options with { MinSize = 3, MaxSize = 4 });
        await pool.FillAsync(3);
        pool.Driver.Break();
        pool.Driver.Validate.Next(Answer.Error, Answer.Ok, Answer.Ok);

        pool.Advance(Second);

        await pool.BecomesAsync(statistics => statistics is { Idle: 3, Opened: 4, Closed: 1 });
    }

    [Fact]
    public async Task RentNow_NothingIdle_FailsAndHasOneOpenedForTheNext()
    {
        await using var pool = NewPool(1);

        Assert.Equal(RentOutcome.TimedOut, (await pool.RentAsync(timeout: TimeSpan.Zero)).Outcome);
        await pool.BecomesAsync(statistics => statistics.Idle == 1);

        Assert.Equal(RentOutcome.Lent, (await pool.RentAsync(timeout: TimeSpan.Zero)).Outcome);
        Assert.Equal(1, pool.Statistics.TimedOut);
    }

    [Fact]
    public async Task RentNow_IdleForLong_FailsAndHasItPingedForTheNext()
    {
        await using var pool = NewPool(1);
        await pool.FillAsync(1);
        pool.Advance(61 * Second);

        Assert.Equal(RentOutcome.TimedOut, (await pool.RentAsync(timeout: TimeSpan.Zero)).Outcome);
        await pool.BecomesAsync(statistics => statistics.Idle == 1);

        Assert.Equal(1, (await pool.RentAsync(timeout: TimeSpan.Zero)).Lease.Number);
        Assert.Equal(1, pool.Driver.Validate.Calls);
    }

    [Fact]
    public async Task RentNow_AlwaysValidate_TakesWhatHasAnsweredOfLate()
    {
        await using var pool = NewPool(1, TimeSpan.Zero);
        await pool.FillAsync(1);
        (await pool.LeaseAsync()).Return();
        pool.Advance(Second / 2);

        Assert.Equal(RentOutcome.Lent, (await pool.RentAsync(timeout: TimeSpan.Zero)).Outcome);
    }

    [Fact]
    public async Task CheckIdle_SomeDead_CountsThemAndKeepsTheRest()
    {
        await using var pool = NewPool(3);
        await pool.FillAsync(3);
        pool.Driver.Validate.Next(Answer.Ok, Answer.Error, Answer.Ok);

        Assert.Equal(1, await pool.Engine.CheckIdleAsync(TestContext.Current.CancellationToken));

        await pool.BecomesAsync(statistics => statistics is { Idle: 2, Resetting: 0 });
    }

    [Fact]
    public async Task CheckIdle_EndsInAnotherOrder_KeepsTheOrderOfUse()
    {
        await using var pool = NewPool(3);
        await pool.FillAsync(3);
        pool.Driver.Validate.Next(Answer.Slow, Answer.Ok, Answer.Ok);
        var check = pool.Engine.CheckIdleAsync(TestContext.Current.CancellationToken);
        await pool.BecomesAsync(statistics => statistics.Idle == 2);

        pool.Driver.Validate.Release();
        await check.OrHangsAsync();

        Assert.Equal([3, 2, 1], (await pool.LeaseAsync(3)).Select(lease => lease.Number));
    }

    [Fact]
    public async Task KeepAlive_Due_PingsWithoutCountingAsUse()
    {
        await using var pool = new EngineHarness(options => options with { KeepAliveInterval = 20 * Second, IdleTimeout = 90 * Second });
        await pool.FillAsync(1);

        for (var passed = 0; passed < 80; passed += 5)
        {
            pool.Advance(5 * Second);
            await pool.BecomesAsync(statistics => statistics.Resetting == 0);
        }

        Assert.InRange(pool.Driver.Validate.Calls, 3, 4);
        pool.Advance(30 * Second);
        await pool.BecomesAsync(statistics => statistics.Total == 0);
        Assert.Equal(1, pool.Statistics.ClosedByReason[CloseReason.IdleTimeout]);
    }

    [Fact]
    public async Task KeepAlive_ManyDue_PingsOneAfterTheOtherTheLongestIdleFirst()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 3, KeepAliveInterval = 20 * Second });
        await pool.FillAsync(3);
        pool.Driver.Validate.Otherwise(Answer.Slow);

        pool.Advance(21 * Second);

        for (var ping = 1; ping <= 3; ping++)
        {
            await Soon.BecomesAsync(() => pool.Driver.Validate.Held == 1);
            Assert.Equal(2, pool.Statistics.Idle);
            pool.Driver.Validate.Release();
            await Soon.BecomesAsync(() => pool.Driver.Validate.Calls == Math.Min(ping + 1, 3));
        }
        await pool.BecomesAsync(statistics => statistics.Idle == 3);
        Assert.Equal([1, 2, 3], pool.Driver.Validated);
    }

    [Fact]
    public async Task KeepAlive_ARentersPingIsUnderWay_ReachesTheOthersAllTheSame()
    {
        await using var pool = new EngineHarness(
            options => options with { MaxSize = 3, ValidateAfterIdle = 5 * Second, KeepAliveInterval = 20 * Second });
        await pool.FillAsync(3);
        pool.Advance(10 * Second);
        pool.Driver.Validate.Next(Answer.Slow);
        var rent = pool.RentAsync();

        pool.Advance(15 * Second);

        await Soon.BecomesAsync(() => pool.Driver.Validated.Count == 3);
        Assert.Equal([3, 1, 2], pool.Driver.Validated);
        pool.Driver.Validate.Release();
        await rent.OrHangsAsync();
    }

    [Fact]
    public async Task KeepAlive_Dead_IsClosedAndReplacedAtMinSize()
    {
        await using var pool = new EngineHarness(options => options with { MinSize = 1, KeepAliveInterval = 20 * Second });
        await pool.BecomesAsync(statistics => statistics.Idle == 1);
        pool.Driver.Validate.Next(Answer.Error);

        pool.Advance(25 * Second);

        await pool.BecomesAsync(statistics => statistics is { Idle: 1, Opened: 2, Closed: 1 });
    }
}
