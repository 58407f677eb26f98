using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>Blocking opens of a server that takes connections and says nothing. Npgsql's own time-out failed one in four of them.</summary>
public sealed class DeafServerTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Rent_BlockingOpens_AllEndAtOpenTimeout()
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        proxy.Mode = FaultMode.Deaf;
        using var enough = new CancellationTokenSource();
        var pools = Enumerable.Range(0, 6).Select(_ => Pool(options =>
        {
            options.ConnectionString = proxy.ConnectionStringFor(ConnectionString);
            options.OpenTimeout = TimeSpan.FromSeconds(1);
            options.RentTimeout = Timeout.InfiniteTimeSpan;
            options.MaxConcurrentOpens = 1;
        })).ToArray();
        var rents = pools.Select(pool => Blocking.RunAsync(() => pool.Rent(enough.Token))).ToArray();

        await Eventually.BecomesAsync(() => pools.All(pool => pool.GetStatistics().OpenFailed >= 5), "each pool has tried five times", TimeSpan.FromSeconds(60));

        await enough.CancelAsync();
        foreach (var rent in rents)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rent);
    }
}
