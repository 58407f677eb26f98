using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

/// <summary>On whose thread a reset is begun, and the next renter goes on.</summary>
public class ResettingTests
{
    private static EngineHarness NewPool(int maxSize) => new(options => options with { MaxSize = maxSize }, driver => driver.ResetsLater = true);

    [Fact]
    public async Task Return_NobodyWaits_TheReturnersThreadGoesOnFirst()
    {
        await using var pool = NewPool(maxSize: 2);
        var lease = await pool.LeaseAsync();
        var resetter = 0;
        pool.Driver.Reset.Pace = () =>
        {
            resetter = Environment.CurrentManagedThreadId;
            return Task.CompletedTask;
        };

        var returner = await Blocking.RunAsync(() =>
        {
            lease.ReturnUsed();
            return Environment.CurrentManagedThreadId;
        });

        await pool.BecomesAsync(statistics => statistics.Idle == 1);
        Assert.NotEqual(0, resetter);
        Assert.NotEqual(returner, resetter);
    }

    [Fact]
    public async Task Return_SomebodyWaits_ResetIsBegunAtOnce()
    {
        await using var pool = NewPool(maxSize: 1);
        var lease = await pool.LeaseAsync();
        var next = pool.RentAsync();
        pool.Driver.Reset.Next(Answer.Slow);

        lease.ReturnUsed();

        Assert.Equal(1, pool.Driver.Reset.Held);
        pool.Driver.Reset.Release();
        Assert.Equal(lease.Number, (await next.OrHangsAsync()).Lease.Number);
    }

    [Fact]
    public async Task Return_ResetInTheBackground_LeavesTheReturnersFlow()
    {
        await using var pool = NewPool(maxSize: 2);
        var flow = new AsyncLocal<string> { Value = "the renter's" };
        string? seen = "nothing yet";
        pool.Driver.Reset.Pace = () =>
        {
            seen = flow.Value;
            return Task.CompletedTask;
        };
        var lease = await pool.LeaseAsync();

        lease.ReturnUsed();

        await pool.BecomesAsync(statistics => statistics.Idle == 1);
        Assert.Null(seen);
    }

    [Fact]
    public async Task Reset_OneWaits_ThatRenterHoldsUpNobody()
    {
        await using var pool = NewPool(maxSize: 2);
        var leases = await pool.LeaseAsync(2);
        pool.Driver.Reset.Next(Answer.Slow, Answer.Slow);
        using var letGo = new ManualResetEventSlim();
        // Without the test's own context, which would take the renter elsewhere.
        var first = Task.Run(async () =>
        {
            var rented = await pool.RentAsync();
            letGo.Wait(CancellationToken.None);
            return rented;
        });
        await pool.BecomesAsync(statistics => statistics.Waiting == 1);
        var second = pool.RentAsync();
        leases[0].ReturnUsed();
        leases[1].ReturnUsed();

        // The first renter goes on on the thread that has ended the reset, and blocks it.
        pool.Driver.Reset.Release();
        await pool.BecomesAsync(statistics => statistics.Leased == 1);
        pool.Driver.Reset.Release();

        Assert.Equal(RentOutcome.Lent, (await second.OrHangsAsync()).Outcome);
        letGo.Set();
        Assert.Equal(RentOutcome.Lent, (await first.OrHangsAsync()).Outcome);
    }
}
