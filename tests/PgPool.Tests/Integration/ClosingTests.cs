using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

[Trait("Category", "Server")]
public sealed class ClosingTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dispose_LeaseOut_StaysUsableAndClosesWhenReturned(bool async)
    {
        var pool = Pool(options => options.MinSize = 2);
        await pool.WarmUpAsync(Stop);
        var lease = await pool.RentAsync(Stop);
        await DisposeAsync(pool, async);

        Assert.Equal(1, pool.GetStatistics().Total);
        Assert.Equal(1, await ScalarAsync<int>(lease, "SELECT 1"));
        await ReturnAsync(lease, async);
        await Eventually.BecomesAsync(async () => await BackendsAsync() == 0, "the session is closed");
        await Eventually.BecomesAsync(() => pool.GetStatistics().ClosedByReason[CloseReason.PoolClosed] == 2, "both are counted");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dispose_Waiters_FailAtOnce(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var lease = await pool.RentAsync(Stop);
        var rent = pool.RentAsync(Stop).AsTask();
        var blocked = Task.Run(() => pool.Rent(Stop), Stop);
        await Eventually.BecomesAsync(() => pool.GetStatistics().Waiting == 2, "both wait");

        await DisposeAsync(pool, async);

        await Assert.ThrowsAsync<ObjectDisposedException>(() => rent);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => blocked);
    }

    [Fact]
    public async Task Disposed_EverythingButLookingAtIt_Throws()
    {
        var pool = Pool();
        await DisposeAsync(pool, async: true);
        await DisposeAsync(pool, async: false);
        await pool.CloseAsync(TimeSpan.Zero, Stop);

        Assert.NotEmpty(pool.Name);
        Assert.Equal(0, pool.GetStatistics().Total);
        Assert.Empty(pool.GetLeases());
        Assert.Throws<ObjectDisposedException>(() => pool.Rent(Stop));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pool.RentAsync(Stop));
        Assert.Throws<ObjectDisposedException>(() => pool.TryRent(out _));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pool.RentManyAsync(1, cancellationToken: Stop));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pool.ForEachAsync([1], 1, (_, _, _) => default, Stop));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pool.WarmUpAsync(Stop));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pool.CheckAsync(Stop));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pool.ReloadTypesAsync(Stop));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pool.WaitUntilIdleAsync(Stop));
        Assert.Throws<ObjectDisposedException>(() => pool.Resize(1, 2));
        Assert.Throws<ObjectDisposedException>(pool.Clear);
        Assert.Throws<ObjectDisposedException>(pool.Suspend);
        Assert.Throws<ObjectDisposedException>(pool.Resume);
        Assert.Throws<ObjectDisposedException>(() => pool.MaxSize);
    }

    [Fact]
    public async Task CloseAsync_LeaseComesBackInTime_IsNotSevered()
    {
        var pool = Pool();
        var lease = await pool.RentAsync(Stop);
        var closing = pool.CloseAsync(Timeout.InfiniteTimeSpan, Stop);
        Assert.False(closing.IsCompleted);
        Assert.Equal(1, await ScalarAsync<int>(lease, "SELECT 1"));

        await lease.DisposeAsync();
        await closing;

        Assert.Equal(0, pool.GetStatistics().Total);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CloseAsync_LeaseStaysOut_IsSeveredEvenWhileItRuns(bool async)
    {
        var pool = Pool();
        var lease = await pool.RentAsync(Stop);
        var running = ExecuteAsync(lease, "SELECT pg_sleep(600)");

        await pool.CloseAsync(TimeSpan.FromMilliseconds(100), Stop);

        await Assert.ThrowsAnyAsync<Exception>(() => running);
        await Eventually.BecomesAsync(async () => await BackendsAsync() == 0, "the backend is gone");
        await ReturnAsync(lease, async);
        Assert.Equal((0, 0), (pool.GetStatistics().Total, pool.GetStatistics().Leased));
    }

    [Fact]
    public async Task CloseAsync_DuringASlowOpen_DoesNotWaitForIt()
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        proxy.Mode = FaultMode.Deaf;
        var pool = Pool(options => options.ConnectionString = proxy.ConnectionStringFor(ConnectionString));
        var rent = pool.RentAsync(Stop).AsTask();
        await Eventually.BecomesAsync(() => proxy.Accepted > 0, "the open hangs");

        await pool.CloseAsync(TimeSpan.Zero, Stop);

        await Assert.ThrowsAsync<ObjectDisposedException>(() => rent);
        Assert.Equal(0, pool.GetStatistics().Opening);
    }

    [Fact]
    public async Task CloseAsync_ManyTimesAtOnce_ClosesOnce()
    {
        var pool = Pool(options => options.MinSize = 4);
        await pool.WarmUpAsync(Stop);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => i % 2 == 0 ? pool.CloseAsync(TimeSpan.FromSeconds(30), Stop) : DisposeAsync(pool, i % 3 == 0), Stop)));

        Assert.Equal(4, pool.GetStatistics().Closed);
    }

    [Fact]
    public async Task Clear_IdleAndLeased_AreReplaced()
    {
        var pool = Pool(options => options.MinSize = 2);
        await pool.WarmUpAsync(Stop);
        var lease = await pool.RentAsync(Stop);
        pool.Clear();
        await lease.DisposeAsync();

        await Eventually.BecomesAsync(() => pool.GetStatistics() is { Opened: 4, Idle: 2, Total: 2 }, "two new ones have taken their place");
        Assert.Equal(2, pool.GetStatistics().ClosedByReason[CloseReason.Cleared]);
    }

    [Fact]
    public async Task ReloadTypesAsync_NewType_IsKnownToLaterLeases()
    {
        var database = await Server.CreateDatabaseAsync();
        var pool = Pool(options => options.ConnectionString = database);
        await using (var lease = await pool.RentAsync(Stop))
            await ExecuteAsync(lease, "CREATE TYPE mood AS ENUM ('happy', 'sad')");

        await pool.ReloadTypesAsync(Stop);

        await using var next = await pool.RentAsync(Stop);
        await using var command = next.CreateCommand("SELECT 'happy'::mood");
        await using var reader = await command.ExecuteReaderAsync(Stop);
        Assert.True(await reader.ReadAsync(Stop));
        Assert.Equal("happy", reader.GetFieldValue<string>(0));
    }

    [Fact]
    public async Task CheckAsync_DeadOnes_AreCountedAndReplaced()
    {
        var pool = Pool(options => options.MinSize = 3);
        await pool.WarmUpAsync(Stop);
        Assert.Equal(0, await pool.CheckAsync(Stop));
        await Server.TerminateBackendsAsync(ApplicationName);

        Assert.Equal(3, await pool.CheckAsync(Stop));

        await Eventually.BecomesAsync(() => pool.GetStatistics() is { Idle: 3, Opened: 6 }, "three new ones are there");
        Assert.Equal(0, await pool.CheckAsync(Stop));
    }

    [Fact]
    public async Task Suspend_Rents_WaitForResume()
    {
        var pool = Pool();
        await using (await pool.RentAsync(Stop))
            pool.Suspend();
        await pool.WaitUntilIdleAsync(Stop);
        Assert.True(pool.IsSuspended);
        var rent = pool.RentAsync(Stop).AsTask();
        Assert.False(pool.TryRent(out _));
        Assert.Equal((1, 1), (pool.GetStatistics().Waiting, pool.GetStatistics().Idle));

        pool.Resume();

        await using var lease = await rent;
    }

    private static async Task DisposeAsync(ConnectionPool pool, bool async)
    {
        if (async)
            await pool.DisposeAsync();
        else
            pool.Dispose();
    }
}
