using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Snapshots;

/// <summary>A lease that breaks or leaves is replaced by one in the same snapshot, or else nothing is read any more.</summary>
public sealed class SnapshotHealingTests(ServerFixture fixture) : SnapshotTest(fixture)
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task ForEachAsync_LeaseBreaksInBody_ItemRunsAgainOnAHealedOne(int killed)
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(2, Stop);
        await AddRowsAsync();
        var ids = group.ExportedIds;
        var victim = pool.GetLeases().Select(lease => lease.Id).Order().ElementAt(killed);
        var runs = new ConcurrentBag<int>();
        var counts = new ConcurrentBag<long>();
        var others = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        await group.ForEachAsync([0, 1], async (lease, item, token) =>
        {
            runs.Add(item);
            if (lease.Id == victim)
            {
                await KillAsync(lease);
                others.SetResult();
            }
            await others.Task.WaitAsync(Eventually.Deadline, token);
            counts.Add(await CountAsync(lease));
        }, Stop);

        Assert.Equal(3, runs.Count);
        Assert.Equal([OldRows, OldRows], counts);
        Assert.Equal((ids[1 - killed], 2), (group.ExportedIds[1 - killed], group.ExportedIds.Count));
        Assert.NotEqual(ids[killed], group.ExportedIds[killed]);
        foreach (var id in group.ExportedIds)
            Assert.Equal(OldRows, await CountImportedAsync(id));
        Assert.Equal(killed == 0, group.SnapshotId != ids[0]);
    }

    [Fact]
    public async Task ForEachAsync_SurvivorsAreBusyForLong_HealsNevertheless()
    {
        const string Blocks = "SELECT pg_advisory_xact_lock_shared(7)";
        await using var blocker = await Unpooled.OpenAsync(Outside);
        await using var block = new NpgsqlCommand("SELECT pg_advisory_lock(7)", blocker);
        await block.ExecuteNonQueryAsync(Stop);
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(3, Stop);
        await AddRowsAsync();
        var runs = 0;
        var count = 0L;

        await group.ForEachAsync([0, 1, 2], async (lease, item, token) =>
        {
            if (item < 2)
            {
                await ExecuteAsync(lease, Blocks);
                return;
            }

            await Eventually.BecomesAsync(
                async () => await Server.ScalarAsync<int>("SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND wait_event_type = 'Lock'", Blocks) == 2,
                "both others are blocked");
            if (Interlocked.Increment(ref runs) == 1)
                await KillAsync(lease);
            count = await CountAsync(lease);
            await blocker.CloseAsync();
        }, Stop).WaitAsync(Eventually.Deadline, Stop);

        Assert.Equal((2, OldRows), (runs, count));
    }

    [Fact]
    public async Task ForEachAsync_BackendKilledUnderAQuery_ItemRunsAgain()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(2, Stop);
        await AddRowsAsync();
        var session = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var count = 0L;
        var run = group.ForEachAsync([0], async (lease, _, token) =>
        {
            if (session.TrySetResult(lease.BackendProcessId))
                await ExecuteAsync(lease, "SELECT pg_sleep(100)");
            count = await CountAsync(lease);
        }, Stop);

        var asleep = await session.Task;
        await Eventually.BecomesAsync(
            () => Server.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep')", asleep), "it sleeps");
        await KillAsync(asleep);
        await run.WaitAsync(Eventually.Deadline, Stop);

        Assert.Equal(OldRows, count);
    }

    [Fact]
    public async Task ForEachAsync_LeasesKilledWhileIdle_AreHealedBeforeBody()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(4, Stop);
        await AddRowsAsync();
        foreach (var lease in pool.GetLeases().Skip(1))
            await KillAsync(lease.BackendProcessId);

        await AssertAllSeeAsync(OldRows, group);

        Assert.Equal(4, group.ExportedIds.Count);
        Assert.Equal(4, pool.GetStatistics().Leased);
    }

    [Fact]
    public async Task WatchAsync_HolderKilledWhileAWorkerWorks_IsHealedInTime()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(2, Stop);
        await AddRowsAsync();
        var clock = new FakeTimeProvider();
        using var ended = new CancellationTokenSource();
        var watching = group.WatchAsync(clock, ended.Token);
        var runs = 0;

        await group.ForEachAsync([0], async (lease, _, _) =>
        {
            if (Interlocked.Increment(ref runs) == 1)
            {
                var holder = pool.GetLeases().Single(other => other.BackendProcessId != lease.BackendProcessId).BackendProcessId;
                await KillAsync(holder);
                clock.Advance(TimeSpan.FromSeconds(10));
                await Eventually.BecomesAsync(
                    () => pool.GetLeases() is { Count: 2 } leases && leases.All(other => other.BackendProcessId != holder) && group.ExportedIds.Count == 2,
                    "the holder is healed");
                await KillAsync(lease);
            }

            Assert.Equal(OldRows, await CountAsync(lease));
        }, Stop);

        await ended.CancelAsync();
        await watching;
        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task ForEachAsync_AllKilled_SnapshotIsLost()
    {
        var pool = SourcePool();
        var group = await pool.RentSnapshotAsync(3, Stop);
        await Server.TerminateBackendsAsync(ApplicationName);
        var called = false;

        Task RunAsync() => group.ForEachAsync(Enumerable.Range(0, 10), (_, _, _) =>
        {
            called = true;
            return default;
        }, Stop).WaitAsync(Eventually.Deadline, Stop);
        var exception = await Assert.ThrowsAsync<SnapshotLostException>(RunAsync);

        Assert.Contains("Run again", exception.Message, StringComparison.Ordinal);
        Assert.IsType<NpgsqlException>(exception.InnerException, exactMatch: false);
        await Assert.ThrowsAsync<SnapshotLostException>(RunAsync);
        Assert.Throws<SnapshotLostException>(() => group.SnapshotId);
        Assert.False(called);
        await group.DisposeAsync();
        await SettledAsync(pool);
        Assert.Equal(0, pool.GetStatistics().Leased);
        await Assert.ThrowsAsync<ObjectDisposedException>(RunAsync);
    }

    [Fact]
    public async Task ForEachAsync_AllKilledInBody_EveryRunLearnsThatTheSnapshotIsLost()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(3, Stop);
        var ready = new Barrier(3);

        Task RunAsync() => group.ForEachAsync(Enumerable.Range(0, 10), async (lease, _, token) =>
        {
            Assert.True(ready.SignalAndWait(Eventually.Deadline, token));
            await Server.TerminateBackendsAsync(ApplicationName);
            await CountAsync(lease);
        }, Stop).WaitAsync(Eventually.Deadline, Stop);
        var runs = new[] { RunAsync(), RunAsync(), RunAsync() };

        foreach (var run in runs)
            await Assert.ThrowsAsync<SnapshotLostException>(() => run);
    }

    public static TheoryData<string> Endings => ["COMMIT", "ROLLBACK", "COMMIT; BEGIN", "COMMIT AND CHAIN", "ROLLBACK; BEGIN; SAVEPOINT other", "RELEASE pgpool_snapshot"];

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task ForEachAsync_BodyEndsTheTransaction_NextItemsAreInTheSnapshotAgain(string sql)
    {
        if (sql.EndsWith("AND CHAIN", StringComparison.Ordinal))
            await NeedsVersionAsync(12, "AND CHAIN");
        var pool = SourcePool(options => options.MaxSize = 2);
        await using var group = await pool.RentSnapshotAsync(2, Stop);
        await AddRowsAsync();

        await group.ForEachAsync([0], (lease, _, _) => new(ExecuteAsync(lease, sql)), Stop);

        await AssertAllSeeAsync(OldRows, group);
        Assert.All(await OnEachAsync(group, lease => ScalarAsync<string>(lease, "SHOW transaction_isolation")), level => Assert.Equal("repeatable read", level));
        await group.DisposeAsync();
        await SettledAsync(pool);
        Assert.Equal(0, pool.GetStatistics().DirtyReturns);
    }

    [Fact]
    public async Task ForEachAsync_BodyEndsTheOnlyTransaction_SnapshotIsLost()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(1, Stop);
        List<int> done = [];

        await Assert.ThrowsAsync<SnapshotLostException>(() => group.ForEachAsync([0, 1], async (lease, item, _) =>
        {
            await ExecuteAsync(lease, "COMMIT");
            done.Add(item);
        }, Stop));

        Assert.Equal([0], done);
    }

    [Fact]
    public async Task ForEachAsync_OnlyLeaseBreaksInBody_SnapshotIsLostAndTheCauseTold()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(1, Stop);

        var exception = await Assert.ThrowsAsync<SnapshotLostException>(
            () => group.ForEachAsync([0], (lease, _, _) => new(ExecuteAsync(lease, "SELECT pg_terminate_backend(pg_backend_pid())")), Stop));

        Assert.Equal(PostgresErrorCodes.AdminShutdown, Assert.IsType<PostgresException>(exception.InnerException).SqlState);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ForEachAsync_PoolGivesNoReplacement_OthersDoTheWork(bool disposed)
    {
        var pool = SourcePool(options => (options.MinSize, options.MaxSize, options.MaxWaiting) = (2, 2, 0));
        await pool.WarmUpAsync(Stop);
        await using var group = await pool.RentSnapshotAsync(2, Stop);
        await AddRowsAsync();
        await KillAsync(pool.GetLeases()[0].BackendProcessId);
        if (disposed)
            pool.Dispose();
        else
            pool.Suspend();

        var counts = new ConcurrentBag<long>();
        await group.ForEachAsync(Enumerable.Range(0, 20), async (lease, _, _) => counts.Add(await CountAsync(lease)), Stop)
            .WaitAsync(Eventually.Deadline, Stop);

        Assert.Equal(Enumerable.Repeat(OldRows, 20), counts);
        Assert.Equal(1, pool.GetStatistics().Leased);
        Assert.Single(group.ExportedIds);
        if (disposed)
            return;

        pool.Resume();
        await Eventually.BecomesAsync(() => pool.GetStatistics().Idle == 1, "the pool has a connection again");
        await AssertAllSeeAsync(OldRows, group);
        Assert.Equal(2, group.ExportedIds.Count);
    }

    [Fact]
    public async Task ForEachAsync_ItemThatBreaksEveryLease_EndsWithItsError()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(2, Stop);
        var runs = 0;

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => group.ForEachAsync([0], async (lease, _, _) =>
        {
            runs++;
            await ExecuteAsync(lease, "SELECT pg_terminate_backend(pg_backend_pid())");
        }, Stop));

        Assert.Equal(10, runs);
        await group.ForEachAsync([0], async (lease, _, _) => Assert.Equal(OldRows, await CountAsync(lease)), Stop);
    }

    [Fact]
    public async Task ForEachAsync_NestedRentsAreRefused_HealsNevertheless()
    {
        var pool = SourcePool(options => (options.MaxSize, options.NestedRents) = (2, NestedRentPolicy.ThrowIfFull));
        await using var group = await pool.RentSnapshotAsync(2, Stop);
        await AddRowsAsync();
        await KillAsync(pool.GetLeases()[0].BackendProcessId);

        await AssertAllSeeAsync(OldRows, group);
    }
}
