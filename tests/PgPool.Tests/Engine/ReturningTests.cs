using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

public class ReturningTests
{
    [Fact]
    public async Task Return_Untouched_GoesStraightBackWithoutAReset()
    {
        await using var pool = new EngineHarness();
        var lease = await pool.LeaseAsync();

        lease.Return();

        Assert.Equal((1, 0), (pool.Statistics.Idle, pool.Driver.Reset.Calls));
    }

    [Fact]
    public async Task Return_Used_IsLentAgainOnlyWhenClean()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 1 });
        var lease = await pool.LeaseAsync();
        pool.Driver.Reset.Next(Answer.Slow);
        var next = pool.RentAsync();

        lease.ReturnUsed();
        Assert.Equal((1, 1), (pool.Statistics.Resetting, pool.Statistics.Waiting));
        pool.Driver.Reset.Release();

        Assert.Equal(lease.Number, (await next.OrHangsAsync()).Lease.Number);
    }

    [Fact]
    public async Task Return_UsedAndResetHere_IsCleanWhenItReturns()
    {
        await using var pool = new EngineHarness();
        var lease = await pool.LeaseAsync();

        lease.ReturnUsedHere();

        Assert.Equal((1, 1), (pool.Statistics.Idle, pool.Driver.Reset.Calls));
    }

    [Fact]
    public async Task Return_Twice_IsIgnored()
    {
        await using var pool = new EngineHarness();
        var lease = await pool.LeaseAsync();
        lease.Return();
        var next = await pool.LeaseAsync();

        lease.Return();
        lease.Discard();

        Assert.Equal(1, pool.Statistics.Leased);
        next.Return();
        Assert.Equal(1, pool.Statistics.Idle);
    }

    [Fact]
    public async Task Return_ResetHangsAndOthersWait_OpensAnother()
    {
        await using var pool = new EngineHarness();
        var lease = await pool.LeaseAsync();
        pool.Driver.Reset.Next(Answer.Slow);
        lease.ReturnUsed();
        var next = pool.RentAsync();

        pool.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(2, (await next.OrHangsAsync()).Lease.Number);
    }

    [Theory]
    [InlineData(CloseReason.ResetFailed, false)]
    [InlineData(CloseReason.Broken, true)]
    [InlineData(CloseReason.SessionReplaced, false)]
    public async Task Return_ResetSaysRetire_ClosesAndReports(CloseReason reason, bool wasDirty)
    {
        await using var pool = new EngineHarness();
        pool.Driver.Verdict = new ResetVerdict(reason, wasDirty);
        var rented = await pool.RentAsync(file: "Orders.cs", line: 42).OrHangsAsync();

        rented.Lease.ReturnUsed();

        await pool.BecomesAsync(statistics => statistics.Total == 0);
        await Soon.BecomesAsync(() => !pool.Events.Dirty.IsEmpty);
        Assert.Equal(1, pool.Statistics.ClosedByReason[reason]);
        Assert.Equal(wasDirty ? 1 : 0, pool.Statistics.DirtyReturns);
        Assert.Equal(("Orders.cs:42", pool.Driver.Verdict), pool.Events.Dirty.Single());
    }

    [Fact]
    public async Task Return_Dirty_IsCountedAndKept()
    {
        await using var pool = new EngineHarness();
        pool.Driver.Verdict = new ResetVerdict(WasDirty: true, AnsweredNow: true);

        (await pool.LeaseAsync()).ReturnUsed();

        await pool.BecomesAsync(statistics => statistics is { Idle: 1, DirtyReturns: 1 });
        await Soon.BecomesAsync(() => pool.Events.Dirty.Count == 1);
    }

    [Fact]
    public async Task Return_Discarded_IsClosedWithoutAReset()
    {
        await using var pool = new EngineHarness();
        var lease = await pool.LeaseAsync();

        lease.Discard("looked odd");
        lease.ReturnUsed();

        await Soon.BecomesAsync(() => pool.Events.Closes.SequenceEqual([(lease.Number, CloseReason.Discarded, "looked odd")]));
        Assert.Equal((0, 0), (pool.Driver.Live, pool.Driver.Reset.Calls));
    }

    [Fact]
    public async Task Return_Closing_HoldsItsPlaceUntilItIsGone()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 1 });
        pool.Driver.Close.Next(Answer.Slow);
        var lease = await pool.LeaseAsync();
        lease.Discard();
        lease.Return();
        var next = pool.RentAsync();
        await Soon.BecomesAsync(() => pool.Driver.Close.Held == 1);

        Assert.Equal((1, 0, 1), (pool.Statistics.Resetting, pool.Statistics.Opening, pool.Statistics.Waiting));
        pool.Driver.Close.Release();

        Assert.Equal(2, (await next.OrHangsAsync()).Lease.Number);
    }

    [Fact]
    public async Task Return_Expired_IsClosedAndAWaiterGetsANewOne()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 1, MaxLifetime = TimeSpan.FromMinutes(1) });
        var lease = await pool.LeaseAsync();
        var next = pool.RentAsync();

        pool.Advance(TimeSpan.FromMinutes(1));
        lease.ReturnUsed();

        Assert.Equal(2, (await next.OrHangsAsync()).Lease.Number);
        Assert.Equal(1, pool.Statistics.ClosedByReason[CloseReason.MaxLifetime]);
    }

    [Fact]
    public async Task Return_PoolMadeSmaller_ClosesAsManyAsAreTooMany()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 4 });
        pool.Driver.Close.Otherwise(Answer.Slow);
        var leases = await pool.LeaseAsync(4);
        pool.Engine.Resize(0, 2);

        foreach (var lease in leases)
            lease.Return();

        Assert.Equal((2, 2), (pool.Statistics.Idle, pool.Statistics.Resetting));
        pool.Driver.Close.Open();
        await pool.BecomesAsync(statistics => statistics is { Total: 2, Idle: 2 });
        Assert.Equal(2, pool.Statistics.ClosedByReason[CloseReason.Resized]);
    }
}
