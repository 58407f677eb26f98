using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

/// <summary>What was under way when the server came under suspicion: that it ends well may be word from before.</summary>
public class SuspicionTests
{
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Reset_BeganBeforeAnotherConnectionBroke_IsPingedBeforeItIsLent()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 2, ValidateAfterIdle = LongEnough });
        await pool.FillAsync(2);
        var leases = await pool.LeaseAsync(2);
        pool.Driver.Reset.Next(Answer.Slow, Answer.Error);
        leases[0].ReturnUsed();
        leases[1].ReturnUsed();
        await pool.BecomesAsync(statistics => statistics is { Resetting: 1, Closed: 1 });
        pool.Driver.Reset.Release();
        await pool.BecomesAsync(statistics => statistics is { Resetting: 0, Idle: 1 });

        await pool.LeaseAsync();

        Assert.Equal(1, pool.Driver.Validate.Calls);
    }

    [Fact]
    public async Task Ping_BeganBeforeAnotherConnectionBroke_IsPingedAgainBeforeItIsLent()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 2, ValidateAfterIdle = LongEnough });
        await pool.FillAsync(2);
        var lease = await pool.LeaseAsync();
        pool.Driver.Validate.Next(Answer.Slow);
        var check = pool.Engine.CheckIdleAsync(TestContext.Current.CancellationToken);
        pool.Driver.Reset.Next(Answer.Error);
        lease.ReturnUsed();
        await pool.BecomesAsync(statistics => statistics is { Resetting: 1, Closed: 1 });
        pool.Driver.Validate.Release();
        Assert.Equal(0, await check);

        await pool.LeaseAsync();

        Assert.Equal(2, pool.Driver.Validate.Calls);
    }
}
