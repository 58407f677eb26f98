using PgPool.Engine;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Engine;

public class OpenFailureTests
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task Rent_TransientFailure_IsTriedAgainAtOnce()
    {
        await using var pool = new EngineHarness(prepare: driver => driver.Open.Next(Answer.Error));

        Assert.Equal(RentOutcome.Lent, (await pool.RentAsync().OrHangsAsync()).Outcome);
        Assert.Equal(2, pool.Driver.Open.Calls);
    }

    [Fact]
    public async Task Rent_ServerDown_OneProberTriesWithDoublingDelays()
    {
        await using var pool = new EngineHarness(
            options => options with { MaxSize = 9, ReconnectDelay = 100 * Millisecond, MaxReconnectDelay = 1000 * Millisecond },
            driver => driver.Open.Next(Answer.Slow, Answer.Slow, Answer.Slow, Answer.Slow));
        var rents = Enumerable.Range(0, 9).Select(_ => pool.RentAsync()).ToArray();
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 4);
        pool.Advance(Millisecond);
        pool.Driver.Open.Otherwise(Answer.Error);
        for (var i = 0; i < 4; i++)
            pool.Driver.Open.Release(Answer.Error);

        // The four that ran side by side count as one failure, whose retry comes at once.
        await pool.BecomesAsync(statistics => statistics is { OpenFailed: 5, Opening: 0 });
        foreach (var delay in new[] { 100, 200, 400, 800, 1000, 1000 })
            Assert.InRange(await DelayUntilNextAttemptAsync(pool), delay / 2 - 1, delay + 1);

        Assert.Equal(9, pool.Statistics.Waiting);
        pool.Driver.Open.Otherwise(Answer.Ok);
        await pool.PassTimeAsync(100 * Millisecond, () => rents.All(rent => rent.IsCompleted));
    }

    [Fact]
    public async Task Rent_ProbeHangs_AnotherIsMadeAfterTheLongestDelay()
    {
        await using var pool = new EngineHarness(
            options => options with { MaxSize = 9, MaxReconnectDelay = 1000 * Millisecond },
            driver => driver.Open.Next(Answer.Error, Answer.Slow, Answer.Slow));
        var rent = pool.RentAsync();
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 1);

        pool.Advance(999 * Millisecond);
        await Soon.StaysAsync(() => pool.Driver.Open.Calls == 2);
        pool.Advance(Millisecond);
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 2);
        pool.Advance(1000 * Millisecond);

        // The third is answered; the two that hang were no obstacle.
        Assert.Equal(RentOutcome.Lent, (await rent.OrHangsAsync()).Outcome);
        Assert.Equal((1L, 2), (pool.Statistics.Opened, pool.Driver.Open.Held));
    }

    [Fact]
    public async Task Rent_ServerDownAndNobodyWaitsAnyMore_ProbingEndsUntilTheNextRent()
    {
        await using var pool = new EngineHarness(prepare: driver => driver.Open.Otherwise(Answer.Error));
        var rent = pool.RentAsync(timeout: TimeSpan.FromSeconds(10));
        await pool.PassTimeAsync(100 * Millisecond, () => rent.IsCompleted);
        await pool.BecomesAsync(statistics => statistics.Opening == 0);
        var attempts = pool.Driver.Open.Calls;

        pool.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((attempts, 0), (pool.Driver.Open.Calls, pool.Statistics.Opening));
        Assert.IsType<OpenException>(pool.Statistics.LastOpenError);
        pool.Driver.Open.Otherwise(Answer.Ok);

        Assert.Equal(RentOutcome.Lent, (await pool.RentAsync().OrHangsAsync()).Outcome);
    }

    [Fact]
    public async Task Rent_RefusedForGood_FailsAllWaitersAtOnce()
    {
        await using var pool = new EngineHarness(prepare: driver => driver.Open.Otherwise(Answer.Slow));
        Task<Rented>[] rents = [pool.RentAsync(), await pool.BlockAsync(), pool.RentAsync(need: 2)];
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 2);

        pool.Driver.Open.Release(Answer.Refused);

        var results = await Task.WhenAll(rents).OrHangsAsync();
        Assert.All(results, rent => Assert.Equal(RentOutcome.ConnectFailed, rent.Outcome));
        Assert.All(results, rent => Assert.IsType<OpenException>(rent.Error));
    }

    [Fact]
    public async Task Rent_AfterARefusalForGood_TriesAgainAtOnce()
    {
        await using var pool = new EngineHarness(prepare: driver => driver.Open.Next(Answer.Refused, Answer.Refused, Answer.Refused));

        for (var attempt = 1; attempt <= 3; attempt++)
        {
            Assert.Equal(RentOutcome.ConnectFailed, (await pool.RentAsync().OrHangsAsync()).Outcome);
            await pool.BecomesAsync(statistics => statistics.OpenFailed == attempt);
        }

        Assert.Equal(RentOutcome.Lent, (await pool.RentAsync().OrHangsAsync()).Outcome);
    }

    [Fact]
    public async Task Rent_ServerFull_IsServedByReturnedConnectionsWhileOpensAreTriedSlowly()
    {
        await using var pool = new EngineHarness(options => options with { MaxReconnectDelay = 1000 * Millisecond });
        var held = await pool.LeaseAsync();
        pool.Driver.Open.Otherwise(Answer.ServerFull);
        var first = pool.RentAsync();
        var second = pool.RentAsync();
        await pool.BecomesAsync(statistics => statistics is { OpenFailed: 1, Opening: 0 });

        held.Return();
        Assert.Equal(held.Number, (await first.OrHangsAsync()).Lease.Number);
        Assert.InRange(await DelayUntilNextAttemptAsync(pool), 499, 1001);
        (await first).Return();

        Assert.Equal(held.Number, (await second.OrHangsAsync()).Lease.Number);
    }

    [Fact]
    public async Task Rent_OpenFails_IsTriedAgainForTheNextInTheQueue()
    {
        await using var pool = new EngineHarness();
        var held = await pool.LeaseAsync();
        pool.Driver.Open.Next(Answer.Slow);
        var first = pool.RentAsync();
        var second = pool.RentAsync();
        await Soon.BecomesAsync(() => pool.Driver.Open.Held == 1);

        held.Return();
        Assert.Equal(held.Number, (await first.OrHangsAsync()).Lease.Number);
        pool.Driver.Open.Release(Answer.Error);

        Assert.NotEqual(held.Number, (await second.OrHangsAsync()).Lease.Number);
        Assert.Equal(1, pool.Statistics.OpenFailed);
    }

    /// <summary>Virtual milliseconds until the server is asked again; it fails again.</summary>
    private static async Task<int> DelayUntilNextAttemptAsync(EngineHarness pool)
    {
        var failures = pool.Statistics.OpenFailed;
        for (var delay = 0; delay < 10_000; delay++)
        {
            if (pool.Statistics is var statistics && (statistics.Opening == 1 || statistics.OpenFailed > failures))
            {
                await pool.BecomesAsync(now => now.OpenFailed == failures + 1 && now.Opening == 0);
                return delay;
            }
            pool.Advance(Millisecond);
        }
        throw new TimeoutException("The server was not asked again.");
    }
}
