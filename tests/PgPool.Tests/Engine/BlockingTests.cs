using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

/// <summary>It starves the whole process of threads: nothing else may run beside it.</summary>
[CollectionDefinition(nameof(StarvedThreadPool), DisableParallelization = true)]
public class StarvedThreadPoolTests;

[Collection(nameof(StarvedThreadPool))]
public class BlockingTests
{
    private static EngineHarness NewPool(Func<EngineOptions, EngineOptions>? with = null)
        => new(options => (with ?? (same => same))(options with { MaxSize = 1, TimeProvider = TimeProvider.System }));

    [Fact]
    public async Task Rent_ThreadPoolBlocked_OpensResetsAndLendsAgain()
    {
        await using var pool = NewPool();

        await StarvedThreadPool.RunAsync(() =>
        {
            pool.Rent().Lease.ReturnUsedHere();
            pool.Rent().Lease.ReturnUsedHere();
        });

        Assert.Equal((1, 2), (pool.Driver.Opened, pool.Driver.Reset.Calls));
    }

    [Fact]
    public async Task Rent_ThreadPoolBlocked_Validates()
    {
        await using var pool = NewPool(options => options with { ValidateAfterIdle = TimeSpan.Zero });
        await pool.FillAsync(1);

        await StarvedThreadPool.RunAsync(() => pool.Rent().Return());

        Assert.Equal(1, pool.Driver.Validate.Calls);
    }

    [Fact]
    public async Task Rent_ThreadPoolBlocked_ClosesAndReplaces()
    {
        await using var pool = NewPool();

        await StarvedThreadPool.RunAsync(() =>
        {
            var first = pool.Rent().Lease;
            first.Discard();
            first.ReturnUsedHere();
            Assert.Equal(2, pool.Rent().Lease.Number);
        });
    }

    [Fact]
    public async Task Rent_ThreadPoolBlocked_TriesAgainUntilTheServerIsBack()
    {
        await using var pool = NewPool(options => options with { ReconnectDelay = TimeSpan.FromMilliseconds(1) });
        pool.Driver.Open.Next(Answer.Error, Answer.Error, Answer.Error);

        await StarvedThreadPool.RunAsync(() => pool.Rent().Return());

        Assert.Equal(4, pool.Driver.Open.Calls);
    }

    [Fact]
    public async Task Rent_ThreadPoolBlockedAndARetryIsDue_IsServedByIt()
    {
        await using var pool = NewPool(options => options with { ReconnectDelay = TimeSpan.FromSeconds(2) });
        pool.Driver.Open.Next(Answer.Error, Answer.Error);
        var first = pool.RentAsync();
        await pool.BecomesAsync(statistics => statistics is { OpenFailed: 2, Opening: 0 });

        await StarvedThreadPool.RunAsync(() => pool.Rent(RentPriority.High).Return());

        await first.OrHangsAsync();
    }

    [Fact]
    public async Task Rent_ThreadPoolBlocked_TimesOut()
    {
        await using var pool = NewPool();
        await pool.LeaseAsync();

        await StarvedThreadPool.RunAsync(
            () => Assert.Equal(RentOutcome.TimedOut, pool.Rent(timeout: TimeSpan.FromMilliseconds(20)).Outcome));
    }

    [Fact]
    public async Task Rent_ThreadPoolBlocked_IsServedByAnotherThreadsReturn()
    {
        await using var pool = NewPool();
        var lease = await pool.LeaseAsync();

        await StarvedThreadPool.RunAsync(() =>
        {
            var thread = new Thread(() => pool.Rent().Return());
            thread.Start();
            Assert.True(SpinWait.SpinUntil(() => pool.Statistics.Waiting == 1, TimeSpan.FromSeconds(20)));
            lease.ReturnUsedHere();
            thread.Join();
        });
    }

    [Fact]
    public async Task RentAsync_NothingComes_BlocksNoThread()
    {
        await using var pool = NewPool();
        pool.Driver.Open.Next(Answer.Slow);
        Task<Rented>[] rents = [];

        await StarvedThreadPool.RunAsync(() => rents = [.. Enumerable.Range(0, 100).Select(_ => pool.RentAsync())]);

        Assert.All(rents, rent => Assert.False(rent.IsCompleted));
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 1);
        pool.Driver.Open.Release();
        foreach (var rent in rents)
            (await rent.OrHangsAsync()).Return();
    }

    [Fact]
    public async Task Rent_WaitsForAResetThatNoThreadHasBegun_HasItBegun()
    {
        await using var pool = new EngineHarness(options => options with { MaxSize = 1, TimeProvider = TimeProvider.System }, driver => driver.ResetsLater = true);
        var lease = await pool.LeaseAsync();

        await StarvedThreadPool.RunAsync(() =>
        {
            lease.ReturnUsed();
            Assert.Equal((1, 0), (pool.Statistics.Resetting, pool.Driver.Reset.Calls));
            pool.Rent().Return();
        });
    }
}
