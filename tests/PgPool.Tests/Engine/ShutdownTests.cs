using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

public class ShutdownTests
{
    [Fact]
    public async Task Shutdown_EverythingUnderWay_EndsItAllAndSettles()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 5 });
        await pool.FillAsync(4);
        var lease = await pool.LeaseAsync();
        var reset = await pool.LeaseAsync();
        pool.Driver.Reset.Next(Answer.Slow);
        pool.Driver.Open.Next(Answer.Slow);
        reset.ReturnUsed();
        Task<Rented>[] waiting = [pool.RentAsync(need: 5), await pool.BlockAsync(), pool.RentAsync()];
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 1);

        Assert.True(pool.Engine.Shutdown(closeHere: true));

        Assert.All(await Task.WhenAll(waiting).OrHangsAsync(), rent => Assert.Equal(RentOutcome.PoolClosed, rent.Outcome));
        await pool.BecomesAsync(statistics => statistics is { Idle: 0, Leased: 1, Resetting: 1, Opening: 0, OpenFailed: 0 });
        var gone = pool.Engine.WhenGoneAsync();
        pool.Driver.Reset.Release();
        await pool.BecomesAsync(statistics => statistics.Total == 1);
        Assert.False(gone.IsCompleted);
        lease.ReturnUsed();

        await gone.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal((0, 4L), (pool.Driver.Live, pool.Statistics.ClosedByReason[CloseReason.PoolClosed]));
    }

    [Fact]
    public async Task Shutdown_ClosingHere_HasClosedTheIdleOnesWhenItReturns()
    {
        await using var pool = new EngineHarness();
        await pool.FillAsync(2);

        pool.Engine.Shutdown(closeHere: true);

        Assert.Equal((0, 0), (pool.Driver.Live, pool.Statistics.Total));
    }

    [Fact]
    public async Task Shutdown_Twice_SaysSoAndDoesNothing()
    {
        await using var pool = new EngineHarness();

        Assert.True(pool.Engine.Shutdown(closeHere: false));
        Assert.False(pool.Engine.Shutdown(closeHere: true));
    }

    [Fact]
    public async Task Rent_AfterShutdown_IsRefusedHoweverItIsAsked()
    {
        await using var pool = new EngineHarness();
        pool.Engine.Shutdown(closeHere: false);

        Assert.Equal(RentOutcome.PoolClosed, (await pool.RentAsync().OrHangsAsync()).Outcome);
        Assert.Equal(RentOutcome.PoolClosed, (await pool.RentAsync(timeout: TimeSpan.Zero).OrHangsAsync()).Outcome);
        Assert.Equal(RentOutcome.PoolClosed, (await (await pool.BlockAsync()).OrHangsAsync()).Outcome);
        Assert.False(pool.Engine.TryLend(default, out _));
    }

    [Fact]
    public async Task Shutdown_OpenThatIgnoresItsToken_IsClosedWhenItComes()
    {
        var pace = new TaskCompletionSource();
        await using var pool = new EngineHarness(prepare: driver => driver.Open.Pace = () => pace.Task);
        var rent = pool.RentAsync();
        await pool.BecomesAsync(statistics => statistics.Opening == 1);

        pool.Engine.Shutdown(closeHere: false);
        Assert.Equal(RentOutcome.PoolClosed, (await rent.OrHangsAsync()).Outcome);
        pace.SetResult();

        await pool.BecomesAsync(statistics => statistics is { Opened: 1, Closed: 1, Opening: 0 });
    }

    [Fact]
    public async Task Shutdown_WarmUpUnderWay_EndsIt()
    {
        await using var pool = new EngineHarness(options => options with { MinSize = 1 }, driver => driver.Open.Next(Answer.Slow));
        var warm = pool.Engine.WarmUpAsync(TestContext.Current.CancellationToken);

        pool.Engine.Shutdown(closeHere: false);

        Assert.Null(await warm.OrHangsAsync());
    }

    [Fact]
    public async Task SeverLeases_LeasesOut_ClosesThemAndIgnoresTheirReturn()
    {
        await using var pool = new EngineHarness();
        var leases = await pool.LeaseAsync(2);
        pool.Driver.MaySever = true;
        pool.Engine.Shutdown(closeHere: false);

        pool.Engine.SeverLeases();
        pool.Engine.SeverLeases();
        await pool.Engine.WhenGoneAsync().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.All(leases, lease => Assert.True(lease.Connection.IsClosed));
        leases[0].ReturnUsed();

        Assert.Equal((0, 2L), (pool.Statistics.Leased, pool.Statistics.Closed));
    }

    [Fact]
    public async Task WhenIdleOnesAreGone_LeaseOut_DoesNotWaitForIt()
    {
        await using var pool = new EngineHarness();
        await pool.FillAsync(2);
        await pool.LeaseAsync();
        pool.Driver.Close.Next(Answer.Slow);
        pool.Engine.Shutdown(closeHere: false);
        var gone = pool.Engine.WhenIdleOnesAreGoneAsync();
        await Soon.BecomesAsync(() => pool.Driver.Close.Held == 1);

        Assert.False(gone.IsCompleted);
        pool.Driver.Close.Release();

        await gone.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(1, pool.Statistics.Leased);
    }
}
