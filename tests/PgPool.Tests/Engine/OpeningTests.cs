using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

public class OpeningTests
{
    private static void HoldOpens(FakeDriver driver) => driver.Open.Otherwise(Answer.Slow);

    [Fact]
    public async Task Rent_ReturnedBeforeOpened_TakesTheReturnedOne()
    {
        await using var pool = new EngineHarness();
        var held = await pool.LeaseAsync();
        HoldOpens(pool.Driver);
        var rent = pool.RentAsync();
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 1);

        held.Return();

        Assert.Equal(held.Number, (await rent.OrHangsAsync()).Lease.Number);
        pool.Driver.Open.Release();
        await pool.BecomesAsync(statistics => statistics is { Idle: 1, Leased: 1 });
    }

    [Fact]
    public async Task Rent_OpenedBeforeReturned_TakesTheOpenedOne()
    {
        await using var pool = new EngineHarness();
        var held = await pool.LeaseAsync();
        var rent = await pool.RentAsync().OrHangsAsync();

        Assert.NotEqual(held.Number, rent.Lease.Number);
    }

    [Fact]
    public async Task Rent_CancelledDuringItsOpen_LeavesTheConnectionToTheNext()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 1 }, HoldOpens);
        using var cancellation = new CancellationTokenSource();
        var first = pool.RentAsync(cancellation: cancellation);
        var second = pool.RentAsync();
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 1);

        await cancellation.CancelAsync();
        await first.OrHangsAsync();
        Assert.Equal(1, pool.Driver.Open.Held);
        pool.Driver.Open.Release();

        Assert.Equal(1, (await second.OrHangsAsync()).Lease.Number);
        Assert.Equal(1, pool.Driver.Open.Calls);
    }

    [Fact]
    public async Task Rent_AllGaveUpDuringTheOpen_ConnectionGoesIdle()
    {
        await using var pool = new EngineHarness(prepare: HoldOpens);
        var rent = pool.RentAsync(timeout: TimeSpan.FromSeconds(1));
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 1);

        pool.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(RentOutcome.TimedOut, (await rent.OrHangsAsync()).Outcome);
        pool.Driver.Open.Release();

        await pool.BecomesAsync(statistics => statistics is { Idle: 1, Opening: 0 });
    }

    [Fact]
    public async Task Rent_ManyWaiters_OpensAtMostSoManyAtOnce()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 20, MaxConcurrentOpens = 3 }, HoldOpens);
        var rents = Enumerable.Range(0, 20).Select(_ => pool.RentAsync()).ToArray();

        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 3);
        Assert.Equal(3, pool.Statistics.Opening);
        await pool.PassTimeAsync(TimeSpan.FromSeconds(1), () =>
        {
            Assert.InRange(pool.Driver.Open.Held, 0, 3);
            pool.Driver.Open.ReleaseAll();
            return rents.All(rent => rent.IsCompleted);
        });

        Assert.Equal(20, pool.Driver.Opened);
    }

    [Fact]
    public async Task Start_MinSize_IsFilledInTheBackground()
    {
        await using var pool = new EngineHarness(options => options with { MinSize = 3, MaxSize = 5 });

        await pool.BecomesAsync(statistics => statistics is { Idle: 3, Opening: 0 });
        Assert.Equal(3, pool.Driver.Opened);
    }

    [Fact]
    public async Task Discard_AtMinSize_IsReplaced()
    {
        await using var pool = new EngineHarness(options => options with { MinSize = 2 });
        await pool.BecomesAsync(statistics => statistics.Idle == 2);

        for (var lost = 1; lost <= 3; lost++)
        {
            var lease = await pool.LeaseAsync();
            lease.Discard();
            lease.Return();
            await pool.BecomesAsync(statistics => statistics.Idle == 2 && statistics.Opened == 2 + lost);
        }
    }

    [Fact]
    public async Task Open_Always_IsReported()
    {
        await using var pool = new EngineHarness(prepare: driver => driver.Open.Next(Answer.Error));

        var lease = await pool.LeaseAsync();

        await Soon.BecomesAsync(() => pool.Events.OpenedIds.SequenceEqual([lease.Number]));
        Assert.Equal([OpenFailure.Transient], pool.Events.Failures);
        Assert.Equal((1L, 1L), (pool.Statistics.Opened, pool.Statistics.OpenFailed));
        Assert.Null(pool.Statistics.LastOpenError);
    }
}
