using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

public class LendingTests
{
    [Theory]
    [InlineData(IdleOrder.Lifo, 3, 2, 1)]
    [InlineData(IdleOrder.Fifo, 1, 2, 3)]
    public async Task Rent_SeveralIdle_LendsInTheOrderOfTheOption(IdleOrder order, int first, int second, int third)
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 3, IdleOrder = order });
        await pool.FillAsync(3);

        var leases = await pool.LeaseAsync(3);

        Assert.Equal([first, second, third], leases.Select(lease => lease.Number));
    }

    [Theory]
    [InlineData(IdleOrder.Lifo, 2)]
    [InlineData(IdleOrder.Fifo, 1)]
    public async Task Rent_AfterAReturn_KeepsTheOrder(IdleOrder order, int expected)
    {
        await using var pool = new EngineHarness(options => options with { IdleOrder = order });
        await pool.FillAsync(2);
        (await pool.LeaseAsync()).Return();
        pool.Advance(TimeSpan.FromSeconds(1));
        if (order == IdleOrder.Fifo)
            (await pool.LeaseAsync()).Return();

        Assert.Equal(expected, (await pool.LeaseAsync()).Number);
    }

    [Fact]
    public async Task TryLend_Idle_LendsWithoutWaiting()
    {
        await using var pool = new EngineHarness();
        await pool.FillAsync(1);
        var queued = pool.Statistics.Queued;

        Assert.True(pool.Engine.TryLend(new RentRequest(null, "Here.cs", 1), out var loan));

        Assert.Equal((1, queued), (pool.Statistics.Leased, pool.Statistics.Queued));
        pool.Engine.Return(loan, touched: false, async: true);
    }

    [Fact]
    public async Task TryLend_SomebodyWaits_DoesNotOvertake()
    {
        await using var pool = new EngineHarness();
        await pool.FillAsync(2);
        var held = await pool.LeaseAsync();
        var group = pool.RentAsync(need: 2);

        Assert.False(pool.Engine.TryLend(new RentRequest(null, "Here.cs", 1), out _));

        Assert.Equal(1, pool.Statistics.Idle);
        held.Return();
        Assert.Equal(2, (await group.OrHangsAsync()).Leases.Count);
    }

    [Fact]
    public async Task Rent_Always_NumbersItsLeasesUpwards()
    {
        await using var pool = new EngineHarness();
        var first = await pool.LeaseAsync();
        first.Return();

        var second = await pool.LeaseAsync();
        var third = await pool.LeaseAsync();

        Assert.Equal([1, 2, 3], [first.Id, second.Id, third.Id]);
    }

    [Fact]
    public async Task GetLeases_SeveralOut_TellsWhoRentedWhatWhereAndSinceWhen()
    {
        await using var pool = new EngineHarness();
        var rentedAt = pool.Time.GetUtcNow();
        var first = await pool.RentAsync(label: "copy orders", file: @"C:\src\Orders.cs", line: 42).OrHangsAsync();
        pool.Advance(TimeSpan.FromSeconds(5));
        await pool.RentAsync(file: "/src/Items.cs", line: 7).OrHangsAsync();

        var leases = pool.Engine.GetLeases();

        Assert.Equal(["Orders.cs:42", "Items.cs:7"], leases.Select(lease => lease.CallSite));
        Assert.Equal(["copy orders", null], leases.Select(lease => lease.Label));
        Assert.Equal([TimeSpan.FromSeconds(5), TimeSpan.Zero], leases.Select(lease => lease.HeldFor));
        Assert.Equal((first.Lease.Id, first.Lease.Number, rentedAt), (leases[0].Id, leases[0].BackendProcessId, leases[0].RentedAt));
    }

    [Fact]
    public async Task Statistics_AfterUse_CountRentsAndTheirTime()
    {
        await using var pool = new EngineHarness();
        await pool.FillAsync(1);
        var lease = await pool.LeaseAsync();
        pool.Advance(TimeSpan.FromSeconds(3));
        lease.Return();

        var statistics = pool.Statistics;

        Assert.Equal((2, 1), (statistics.Rented, statistics.Queued));
        Assert.Equal(TimeSpan.FromSeconds(4), statistics.TotalUseTime);
    }

    [Fact]
    public async Task Rent_SeveralServedAtOnce_IsNotCountedAsQueued()
    {
        await using var pool = new EngineHarness();
        await pool.FillAsync(2);
        var queued = pool.Statistics.Queued;

        await pool.RentAsync(need: 2).OrHangsAsync();

        Assert.Equal(queued, pool.Statistics.Queued);
    }
}
