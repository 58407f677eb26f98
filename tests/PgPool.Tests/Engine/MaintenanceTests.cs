using System.Runtime.CompilerServices;
using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

public class MaintenanceTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task IdleTimeout_Passed_ClosesTheOldestDownToMinSize()
    {
        await using var pool = new EngineHarness(options => options with { MinSize = 1, MaxSize = 3, IdleTimeout = 10 * Minute });
        await pool.FillAsync(3);

        pool.Advance(13 * Minute);

        await pool.BecomesAsync(statistics => statistics is { Total: 1, Opening: 0 });
        await Soon.BecomesAsync(() => pool.Events.Closes.Count == 2);
        Assert.Equal([1, 2], pool.Events.Closes.Select(close => close.Id).Order());
        Assert.Equal(2, pool.Statistics.ClosedByReason[CloseReason.IdleTimeout]);
    }

    [Fact]
    public async Task IdleTimeout_OneInUse_StaysBecauseItIsUsed()
    {
        await using var pool = new EngineHarness(options => options with { IdleTimeout = 10 * Minute });
        await pool.FillAsync(2);

        for (var passed = 0; passed < 15; passed++)
        {
            (await pool.LeaseAsync()).Return();
            pool.Advance(Minute);
        }

        await pool.BecomesAsync(statistics => statistics is { Idle: 1, Total: 1 });
        Assert.Equal(2, (await pool.LeaseAsync()).Number);
    }

    [Fact]
    public async Task MaxLifetime_Jitter_SpreadsTheEndsOverItsShare()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 40, MaxLifetime = 40 * Minute, LifetimeJitter = 0.25 });
        await pool.FillAsync(40);

        pool.Advance(29 * Minute);
        Assert.Equal(0, pool.Statistics.Closed);
        pool.Advance(6 * Minute);
        await pool.BecomesAsync(statistics => statistics.Resetting == 0);
        Assert.InRange(pool.Statistics.Closed, 1, 39);
        pool.Advance(6 * Minute);

        await pool.BecomesAsync(statistics => statistics.Total == 0);
        Assert.Equal(40, pool.Statistics.ClosedByReason[CloseReason.MaxLifetime]);
    }

    [Fact]
    public async Task MaxLifetime_AtMinSize_IsReplaced()
    {
        await using var pool = new EngineHarness(options => options with { MinSize = 2, MaxLifetime = 10 * Minute });
        await pool.BecomesAsync(statistics => statistics.Idle == 2);

        pool.Advance(11 * Minute);

        await pool.BecomesAsync(statistics => statistics is { Idle: 2, Opened: 4, Closed: 2 });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task MaxLifetime_RoomForMore_ReplacementsAreThereBeforeTheEnd(bool leased)
    {
        await using var pool = new EngineHarness(
            options => options with { MinSize = 2, MaxSize = 4, MaxLifetime = 10 * Minute, IdleTimeout = Minute / 2 });
        await pool.BecomesAsync(statistics => statistics.Idle == 2);
        var lease = leased ? await pool.LeaseAsync() : null;

        for (var passed = TimeSpan.Zero; passed < 21 * Minute; passed += Minute / 60)
        {
            pool.Advance(Minute / 60);
            Assert.True(pool.Statistics.Idle + pool.Statistics.Leased >= 2, pool.Statistics.ToString());
            await pool.BecomesAsync(statistics => statistics is { Resetting: 0, Opening: 0 });
        }

        // One that is lent is not closed under its lease, however old.
        Assert.Equal((leased ? 3L : 4L, 6L), (pool.Statistics.Closed, pool.Statistics.Opened));
        lease?.Return();
        await pool.BecomesAsync(statistics => statistics is { Idle: 2, Total: 2, Closed: 4 });
    }

    [Fact]
    public async Task Abandoned_SomebodyWaits_GetsThePlaceWithoutAnyMaintenance()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 1 });
        Drop(pool);
        Task<Rented>[] rents = [await pool.BlockAsync(), pool.RentAsync()];

        // Time stands still: it is the garbage collector that tells.
        GC.Collect();
        GC.WaitForPendingFinalizers();

        var first = await Task.WhenAny(rents).OrHangsAsync();
        Assert.Equal(2, (await first).Lease.Number);
        (await first).Return();
        await Task.WhenAll(rents).OrHangsAsync();
        await Soon.BecomesAsync(() => !pool.Events.AbandonedAt.IsEmpty);
        Assert.Equal(["Leaky.cs:7"], pool.Events.AbandonedAt);
    }

    [Fact]
    public async Task Abandoned_LeaseCollected_GivesItsPlaceBackAndTellsWhere()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 1 });
        Drop(pool);
        Assert.Equal(1, pool.Statistics.Leased);
        GC.Collect();
        GC.WaitForPendingFinalizers();

        pool.Advance(Minute);

        await pool.BecomesAsync(statistics => statistics is { Total: 0, Abandoned: 1 });
        await Soon.BecomesAsync(() => !pool.Events.AbandonedAt.IsEmpty);
        Assert.Equal(["Leaky.cs:7"], pool.Events.AbandonedAt);
        Assert.Equal(2, (await pool.LeaseAsync()).Number);
    }

    [Fact]
    public async Task Abandoned_LeaseStillHeld_IsLeftAlone()
    {
        await using var pool = new EngineHarness();
        var lease = await pool.LeaseAsync();
        GC.Collect();

        pool.Advance(Minute);

        Assert.Equal((1, 0L), (pool.Statistics.Leased, pool.Statistics.Abandoned));
        GC.KeepAlive(lease);
    }

    [Fact]
    public async Task LongLease_HeldBeyondTheLimit_IsToldOnce()
    {
        await using var pool = new EngineHarness(options => options with { LeaseWarningAfter = 10 * Minute });
        await pool.RentAsync(file: "Slow.cs", line: 7).OrHangsAsync();

        pool.Advance(9 * Minute);
        Assert.Empty(pool.Events.LongLeases);
        pool.Advance(2 * Minute);
        pool.Advance(20 * Minute);

        Assert.Equal("Slow.cs:7", Assert.Single(pool.Events.LongLeases).CallSite);
        Assert.Empty(pool.Events.LongLeasesReturned);
    }

    [Fact]
    public async Task LongLease_ReturnedInTheEnd_IsTold()
    {
        await using var pool = new EngineHarness(options => options with { LeaseWarningAfter = 10 * Minute });
        var held = await pool.LeaseAsync("Slow.cs", 7);
        pool.Advance(15 * Minute);

        held.Return();
        (await pool.LeaseAsync()).Return();

        var told = Assert.Single(pool.Events.LongLeasesReturned);
        Assert.Equal(("Slow.cs:7", 15 * Minute), (told.CallSite, told.HeldFor));
    }

    [Fact]
    public async Task LongLease_NextLeaseOfTheSameConnection_IsToldAgain()
    {
        await using var pool = new EngineHarness(options => options with { LeaseWarningAfter = 10 * Minute });
        for (var lease = 0; lease < 2; lease++)
        {
            var held = await pool.LeaseAsync();
            pool.Advance(11 * Minute);
            held.Return();
        }

        Assert.Equal(2, pool.Events.LongLeases.Count);
    }

    /// <summary>Rents, and forgets. On a frame of its own, so that nothing of it is still on the stack.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Drop(EngineHarness pool)
    {
        var thread = new Thread(() => pool.Engine.Rent(new RentRequest(null, "Leaky.cs", 7), 1, RentPriority.Normal, Timeout.InfiniteTimeSpan, default));
        thread.Start();
        thread.Join();
    }
}
