using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

/// <summary>When a reset is begun, and on whose thread.</summary>
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
}
