using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

public class LifecycleTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Resize_Larger_ServesWaiters()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 1 });
        await pool.LeaseAsync();
        var rent = pool.RentAsync();

        pool.Engine.Resize(0, 2);

        Assert.Equal(2, (await rent.OrHangsAsync()).Lease.Number);
    }

    [Fact]
    public async Task Resize_Smaller_ClosesTheOldestIdleAtOnceAndTheRestOnReturn()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 4 });
        await pool.FillAsync(4);
        var leases = await pool.LeaseAsync(2);

        pool.Engine.Resize(0, 1);
        await pool.BecomesAsync(statistics => statistics is { Total: 2, Leased: 2 });
        Assert.Equal([1, 2], pool.Events.Closes.Select(close => close.Id).Order());
        leases[0].Return();
        await pool.BecomesAsync(statistics => statistics.Total == 1);
        leases[1].Return();

        await pool.BecomesAsync(statistics => statistics is { Total: 1, Idle: 1 });
    }

    [Fact]
    public async Task Resize_TwiceBeforeTheClosesEnd_ClosesNoMoreThanAreTooMany()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 4 }, driver => driver.Close.Otherwise(Answer.Slow));
        await pool.FillAsync(4);

        pool.Engine.Resize(0, 2);
        pool.Engine.Resize(0, 2);

        Assert.Equal((2, 2), (pool.Statistics.Idle, pool.Statistics.Resetting));
    }

    [Fact]
    public async Task Resize_SmallerDuringOpens_ClosesWhatIsTooMany()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 3 }, driver => driver.Open.Otherwise(Answer.Slow));
        var rents = Enumerable.Range(0, 3).Select(_ => pool.RentAsync()).ToArray();
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 3);

        pool.Engine.Resize(0, 1);
        pool.Driver.Open.Open();
        foreach (var rent in rents)
            (await rent.OrHangsAsync()).Return();

        await pool.BecomesAsync(statistics => statistics is { Total: 1, Opening: 0 });
    }

    [Fact]
    public async Task Resize_LargerMinimum_IsFilled()
    {
        await using var pool = new EngineHarness();

        pool.Engine.Resize(3, 5);

        await pool.BecomesAsync(statistics => statistics is { Idle: 3, MinSize: 3, MaxSize: 5 });
    }

    [Fact]
    public async Task Clear_Always_RetiresAllOfToday()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 4 });
        await pool.FillAsync(2);
        var lease = await pool.LeaseAsync();
        var reset = await pool.LeaseAsync();
        var idle = await pool.LeaseAsync();
        idle.Return();
        pool.Driver.Reset.Next(Answer.Slow);
        reset.ReturnUsed();

        pool.Engine.Clear();
        await pool.BecomesAsync(statistics => statistics is { Idle: 0, Total: 2 });
        lease.Return();
        pool.Driver.Reset.Release();

        await pool.BecomesAsync(statistics => statistics.Total == 0);
        Assert.Equal(3, pool.Statistics.ClosedByReason[CloseReason.Cleared]);
    }

    [Fact]
    public async Task Clear_DuringAnOpen_RetiresItTooAndServesTheWaiterFromANewOne()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 1 }, driver => driver.Open.Next(Answer.Slow));
        var rent = pool.RentAsync();
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 1);

        pool.Engine.Clear();
        pool.Driver.Open.Release();
        await pool.PassTimeAsync(TimeSpan.FromMilliseconds(1), () => rent.IsCompleted);

        Assert.Equal(2, (await rent).Lease.Number);
        Assert.Equal(1, pool.Statistics.ClosedByReason[CloseReason.Cleared]);
    }

    [Fact]
    public async Task Suspend_RentsWaitUntilResumed()
    {
        await using var pool = new EngineHarness();
        await pool.FillAsync(2);
        pool.Engine.Suspend(true);
        pool.Engine.Suspend(true);
        var rent = pool.RentAsync();

        Assert.Equal((1, 2), (pool.Statistics.Waiting, pool.Statistics.Idle));
        Assert.Equal(RentOutcome.TimedOut, (await pool.RentAsync(timeout: TimeSpan.Zero)).Outcome);
        pool.Engine.Suspend(false);
        pool.Engine.Suspend(false);

        Assert.Equal(RentOutcome.Lent, (await rent.OrHangsAsync()).Outcome);
    }

    [Fact]
    public async Task Suspend_TimeoutsRunOn()
    {
        await using var pool = new EngineHarness();
        await pool.FillAsync(1);
        pool.Engine.Suspend(true);
        var rent = pool.RentAsync(timeout: Second);

        pool.Advance(Second);

        Assert.Equal(RentOutcome.TimedOut, (await rent.OrHangsAsync()).Outcome);
    }

    [Fact]
    public async Task Suspend_DuringAnOpen_LendsItOnlyAfterwards()
    {
        await using var pool = new EngineHarness(prepare: driver => driver.Open.Next(Answer.Slow));
        var rent = pool.RentAsync();
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 1);

        pool.Engine.Suspend(true);
        pool.Driver.Open.Release();
        await pool.BecomesAsync(statistics => statistics is { Idle: 1, Waiting: 1 });
        pool.Engine.Suspend(false);

        Assert.Equal(1, (await rent.OrHangsAsync()).Lease.Number);
    }

    [Fact]
    public async Task WaitUntilIdle_LeaseAndResetUnderWay_CompletesAfterBoth()
    {
        await using var pool = new EngineHarness();
        pool.Driver.Reset.Next(Answer.Slow);
        var leases = await pool.LeaseAsync(2);
        var idle = pool.Engine.WaitUntilIdleAsync(Token);

        leases[0].ReturnUsed();
        leases[1].Return();
        await Soon.StaysAsync(() => !idle.IsCompleted);
        pool.Driver.Reset.Release();

        await idle.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.Equal(2, pool.Statistics.Idle);
    }

    [Fact]
    public async Task WaitUntilIdle_Cancelled_Throws()
    {
        await using var pool = new EngineHarness();
        await pool.LeaseAsync();
        using var cancellation = new CancellationTokenSource();
        var idle = pool.Engine.WaitUntilIdleAsync(cancellation.Token);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => idle);
    }

    [Fact]
    public async Task WarmUp_ServerComesBack_CompletesAtMinSize()
    {
        await using var pool = new EngineHarness(options => options with { MinSize = 2 }, driver => driver.Open.Otherwise(Answer.Error));
        var warm = pool.Engine.WarmUpAsync(Token);
        await pool.PassTimeAsync(Second, () => pool.Statistics.OpenFailed > 3);
        Assert.False(warm.IsCompleted);

        pool.Driver.Open.Otherwise(Answer.Ok);
        await pool.PassTimeAsync(Second, () => warm.IsCompleted);

        Assert.Null(await warm);
        Assert.Equal(2, pool.Statistics.Total);
    }

    [Fact]
    public async Task WarmUp_RefusedForGood_CompletesWithTheErrorEachTime()
    {
        await using var pool = new EngineHarness(options => options with { MinSize = 1 }, driver => driver.Open.Otherwise(Answer.Refused));

        Assert.IsType<OpenException>(await pool.Engine.WarmUpAsync(Token).OrHangsAsync());
        Assert.IsType<OpenException>(await pool.Engine.WarmUpAsync(Token).OrHangsAsync());
    }

    [Fact]
    public async Task WarmUp_Cancelled_ThrowsAndLeavesTheOpenAlone()
    {
        await using var pool = new EngineHarness(options => options with { MinSize = 1 }, driver => driver.Open.Next(Answer.Slow));
        using var cancellation = new CancellationTokenSource();
        var warm = pool.Engine.WarmUpAsync(cancellation.Token);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => warm);
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 1);
        pool.Driver.Open.Release();

        await pool.BecomesAsync(statistics => statistics.Idle == 1);
    }
}
