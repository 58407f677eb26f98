using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>A PgBouncer that has less room than the pool in front of it would take.</summary>
public sealed class PgBouncerLimitsTests(ServerFixture fixture) : PgBouncerTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rent_PgBouncersPoolSmallerThanOurs_ServesFromWhatThereIs(bool async)
    {
        await StartAsync(PgBouncerPoolMode.Session, new() { ["default_pool_size"] = "2" });

        // A statement that waits in PgBouncer fails here, as it would after Npgsql's default of half a minute.
        var pool = PoolBehind(options =>
        {
            options.ConnectionString += ";Command Timeout=5";
            options.OpenTimeout = TimeSpan.FromSeconds(2);
        });
        await WorkAsync(pool, workers: 1, times: 1, async, "SELECT 1");

        // From now on it tries for four.
        pool.Resize(4, 4);
        await WorkAsync(pool, workers: 8, times: 200, async, "SELECT pg_sleep(0.001)");

        Assert.Equal(1601, pool.GetStatistics().Rented);
        Assert.Equal(2, await BackendsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rent_NoServerConnectionLeftInPgBouncer_IsNotLentASessionWithoutOne(bool async)
    {
        await StartAsync(PgBouncerPoolMode.Session, new() { ["default_pool_size"] = "2" });
        var pool = PoolBehind(options => options.OpenTimeout = TimeSpan.FromSeconds(1));
        var leases = new Stack<ConnectionLease>();
        while (leases.Count < 2)
        {
            leases.Push(await pool.RentAsync(Stop));
            await BackendAsync(leases.Peek());
        }

        // PgBouncer lets a third client in at once, and has its first statement wait.
        var options = new RentOptions { Timeout = TimeSpan.FromSeconds(3) };
        await Assert.ThrowsAsync<PoolTimeoutException>(async () => leases.Push(async ? await pool.RentAsync(options, Stop) : pool.Rent(options, Stop)));

        while (leases.TryPop(out var lease))
            await ReturnAsync(lease, async);
    }

    [Fact]
    public async Task Rent_PgBouncerFull_SaysSoAndServesFromWhatThereIs()
    {
        await StartAsync(PgBouncerPoolMode.Session, new() { ["max_client_conn"] = "2" });
        var pool = PoolBehind();
        var leases = new Stack<ConnectionLease>();

        var exception = await Assert.ThrowsAsync<PoolTimeoutException>(async () =>
        {
            while (true)
                leases.Push(await pool.RentAsync(new() { Timeout = TimeSpan.FromSeconds(3) }, Stop));
        });
        Assert.Contains("no more connections allowed (max_client_conn)", exception.Message, StringComparison.Ordinal);
        Assert.Equal(2, leases.Count);

        var waiting = pool.RentAsync(Stop);
        await leases.Pop().DisposeAsync();
        leases.Push(await waiting);
        while (leases.TryPop(out var lease))
            await lease.DisposeAsync();
    }
}
