using Npgsql;
using PgPool.Migration.Snapshots;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Snapshots;

/// <summary>Leases come all or none, and go back clean.</summary>
[Trait("Category", "Server")]
public sealed class SnapshotLeasesTests(ServerFixture fixture) : SnapshotTest(fixture)
{
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task RentSnapshotAsync_CountOutOfRange_IsRefused(int count)
    {
        var pool = SourcePool(options => options.MaxSize = 4);

        var exception = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => pool.RentSnapshotAsync(count, Stop).AsTask());

        Assert.Equal("count", exception.ParamName);
    }

    [Fact]
    public async Task RentSnapshotAsync_PoolIsBusy_TakesNothing()
    {
        var pool = SourcePool(options => (options.MaxSize, options.RentTimeout) = (3, TimeSpan.FromMilliseconds(200)));
        await using var held = await pool.RentManyAsync(2, new RentOptions { Timeout = Eventually.Deadline }, Stop);

        await Assert.ThrowsAsync<PoolTimeoutException>(() => pool.RentSnapshotAsync(2, Stop).AsTask());

        Assert.Equal((2, 0), (pool.GetStatistics().Leased, pool.GetStatistics().Waiting));
    }

    [Fact]
    public async Task RentSnapshotAsync_CancelledWhileItWaits_TakesNothing()
    {
        var pool = SourcePool(options => options.MaxSize = 2);
        await using var held = await pool.RentAsync(Stop);
        using var cancellation = new CancellationTokenSource();
        var rent = pool.RentSnapshotAsync(2, cancellation.Token).AsTask();
        await Eventually.BecomesAsync(() => pool.GetStatistics().Waiting == 1, "the rent waits");

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rent.WaitAsync(Eventually.Deadline, Stop));
        Assert.Equal((1, 0), (pool.GetStatistics().Leased, pool.GetStatistics().Waiting));
    }

    [Fact]
    public async Task TakeAsync_SnapshotCannotBeTaken_ReturnsAllLeases()
    {
        var pool = SourcePool();

        var exception = await Assert.ThrowsAsync<PostgresException>(() => TakeAsync(pool, 3, new SnapshotPlan { Lock = "LOCK TABLE missing IN ACCESS SHARE MODE" }));

        Assert.Equal(PostgresErrorCodes.UndefinedTable, exception.SqlState);
        await AssertAllCleanAsync(pool, connections: 3);
    }

    [Fact]
    public async Task DisposeAsync_AfterUse_ReturnsTheLeasesClean()
    {
        // Without a reset, what is left behind would stay.
        var pool = SourcePool(options => options.SessionReset = SessionReset.None);
        const string Settings = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE source = 'session'";
        string? before;
        await using (var lease = await pool.RentAsync(Stop))
            before = await ScalarAsync<object>(lease, Settings) as string;
        var group = await pool.RentSnapshotAsync(3, Stop);
        await group.ForEachAsync(Enumerable.Range(0, 10), async (lease, _, _) => await CountAsync(lease), Stop);

        await group.DisposeAsync();
        await group.DisposeAsync();

        await AssertAllCleanAsync(pool, connections: 3);
        await using var again = await pool.RentManyAsync(3, default, Stop);
        foreach (var lease in again)
            Assert.Equal(before, await ScalarAsync<object>(lease, Settings) as string);
    }

    [Fact]
    public async Task DisposeAsync_FailedTransaction_ReturnsTheLeaseClean()
    {
        var pool = SourcePool();
        var group = await pool.RentSnapshotAsync(1, Stop);
        await group.ForEachAsync([0], async (lease, _, _) => await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(lease, "SELECT 1 / 0")), Stop);

        await group.DisposeAsync();

        await AssertAllCleanAsync(pool, connections: 1);
    }

    [Fact]
    public async Task DisposeAsync_Done_EverythingIsRefused()
    {
        var pool = SourcePool();
        var group = await pool.RentSnapshotAsync(1, Stop);
        await group.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => group.ForEachAsync([0], (_, _, _) => default, Stop));
        Assert.Throws<ObjectDisposedException>(() => group.SnapshotId);
    }

    [Fact]
    public async Task DisposeAsync_WhileItemsRun_StopsThemAndReturnsTheirLeases()
    {
        var pool = SourcePool();
        var group = await pool.RentSnapshotAsync(3, Stop);
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var count = 0;
        var run = group.ForEachAsync(Enumerable.Range(0, 10), async (_, _, token) =>
        {
            if (Interlocked.Increment(ref count) == 2)
                running.SetResult();
            await Task.Delay(Timeout.Infinite, token);
        }, Stop);
        await running.Task.WaitAsync(Eventually.Deadline, Stop);

        await group.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => run.WaitAsync(Eventually.Deadline, Stop));
        await AssertAllCleanAsync(pool, connections: 3);
    }

    private async Task AssertAllCleanAsync(ConnectionPool pool, int connections)
    {
        await SettledAsync(pool);
        Assert.Equal((0, connections, 0L), (pool.GetStatistics().Leased, pool.GetStatistics().Idle, pool.GetStatistics().DirtyReturns));
        Assert.Empty(Log.Warnings);
        Assert.Equal(0, await Server.ScalarAsync<int>(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND (xact_start IS NOT NULL OR state <> 'idle')", ApplicationName));
    }
}
