using System.Collections.Concurrent;
using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Snapshots;

/// <summary>How the items of ForEachAsync are handed out, and how it ends.</summary>
public sealed class SnapshotRunTests(ServerFixture fixture) : SnapshotTest(fixture)
{
    [Fact]
    public async Task ForEachAsync_Items_RunOnceEachOnAllLeasesOneAtATime()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(3, Stop);
        var done = new ConcurrentBag<int>();
        var inUse = new ConcurrentDictionary<long, bool>();

        Task RunAsync(int first) => group.ForEachAsync(Enumerable.Range(first, 50), async (lease, item, _) =>
        {
            Assert.True(inUse.TryAdd(lease.Id, true));
            Assert.Equal(OldRows, await CountAsync(lease));
            Assert.True(inUse.TryRemove(lease.Id, out var _));
            done.Add(item);
        }, Stop);
        await Task.WhenAll(RunAsync(0), RunAsync(50), RunAsync(100));
        await RunAsync(150);

        Assert.Equal(Enumerable.Range(0, 200), done.Order());
    }

    [Fact]
    public async Task ForEachAsync_LeasesAreBusy_AsksForNoItem()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(2, Stop);
        var asked = 0;
        var bothBusy = new Barrier(2);
        var atMost = 0;

        IEnumerable<int> Items()
        {
            for (var i = 0; i < 10; i++)
            {
                Interlocked.Increment(ref asked);
                yield return i;
            }
        }

        await group.ForEachAsync(Items(), (_, item, token) =>
        {
            // Pairs of items: when both are here no third has been asked for.
            Assert.True(bothBusy.SignalAndWait(Eventually.Deadline, token));
            lock (bothBusy)
                atMost = Math.Max(atMost, Volatile.Read(ref asked) - item);
            Assert.True(bothBusy.SignalAndWait(Eventually.Deadline, token));
            return default;
        }, Stop);

        Assert.Equal(10, asked);
        Assert.Equal(2, atMost);
    }

    [Fact]
    public async Task ForEachAsync_NoItems_DoesNothing()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(1, Stop);

        await group.ForEachAsync(Array.Empty<int>(), (_, _, _) => throw new InvalidOperationException("not called"), Stop);
    }

    [Fact]
    public async Task ForEachAsync_BodyFails_DoesNotWaitForWhoHearsOfIt()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(2, Stop);
        var isListening = new TaskCompletionSource();
        using var released = new ManualResetEventSlim();
        var failing = group.ForEachAsync([true, false], async (_, fails, token) =>
        {
            if (fails)
            {
                await isListening.Task;
                throw new InvalidOperationException("first");
            }

            // As Npgsql's, which waits for the server: heard last of all.
            token.Register(released.Wait);
            var stopped = Task.Delay(Timeout.InfiniteTimeSpan, token);
            isListening.SetResult();
            await stopped;
        }, Stop);

        try
        {
            var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => failing.WaitAsync(Eventually.Deadline, Stop));
            Assert.Equal("first", exception.Message);
        }
        finally
        {
            released.Set();
        }
    }

    [Fact]
    public async Task ForEachAsync_BodyFails_StopsTheOthersAndThrowsItsError()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(3, Stop);
        var stopped = 0;

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => group.ForEachAsync(Enumerable.Range(0, int.MaxValue), async (_, item, token) =>
        {
            if (item == 2)
                throw new InvalidOperationException("third");
            try
            {
                await Task.Delay(Timeout.Infinite, token);
            }
            finally
            {
                stopped++;
            }
        }, Stop).WaitAsync(Eventually.Deadline, Stop));

        Assert.Equal("third", exception.Message);
        Assert.InRange(stopped, 0, 2);
        await AssertAllSeeAsync(OldRows, group);
    }

    [Fact]
    public async Task ForEachAsync_ItemsFail_StopsAndThrowsTheirError()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(2, Stop);

        static IEnumerable<int> Items()
        {
            yield return 1;
            throw new InvalidOperationException("no more");
        }

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(
            () => group.ForEachAsync(Items(), async (_, _, token) => await Task.Delay(Timeout.Infinite, token), Stop).WaitAsync(Eventually.Deadline, Stop));

        Assert.Equal("no more", exception.Message);
        await AssertAllSeeAsync(OldRows, group);
    }

    [Fact]
    public async Task ForEachAsync_Cancelled_ThrowsAndTheGroupGoesOn()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(2, Stop);
        await AddRowsAsync();
        using var cancellation = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => group.ForEachAsync(Enumerable.Range(0, 10), async (lease, item, token) =>
        {
            if (item == 1)
                await cancellation.CancelAsync();
            await using var command = lease.CreateCommand("SELECT pg_sleep(100)");
            await command.ExecuteNonQueryAsync(token);
        }, cancellation.Token).WaitAsync(Eventually.Deadline, Stop));

        await AssertAllSeeAsync(OldRows, group);
    }

    [Fact]
    public async Task ForEachAsync_StatementFailedBefore_NextItemReadsTheSnapshot()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(1, Stop);
        await AddRowsAsync();
        List<long> counts = [];

        await group.ForEachAsync([0, 1], async (lease, item, _) =>
        {
            counts.Add(await CountAsync(lease));
            if (item == 0)
                await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(lease, "SELECT 1 / 0"));
        }, Stop);

        Assert.Equal([OldRows, OldRows], counts);
    }

    [Fact]
    public async Task ForEachAsync_ItemChangesSettings_NextItemHasTheGroups()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(1, Stop);
        List<string> settings = [];

        await group.ForEachAsync([0, 1], async (lease, _, _) =>
        {
            settings.Add(await ScalarAsync<string>(lease, "SHOW work_mem") + await ScalarAsync<string>(lease, "SHOW bytea_output"));
            await ExecuteAsync(lease, "SET LOCAL work_mem = '77MB'; SET bytea_output = 'escape'");
        }, Stop);

        Assert.Equal(settings[0], settings[1]);
    }

    [Fact]
    public async Task EnterAsync_FailedStatement_LeaseReadsTheSnapshotAgainAndElseIsRefused()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(1, Stop);

        await group.ForEachAsync([0], async (lease, _, token) =>
        {
            await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(lease, "SELECT 1 / 0"));
            await group.EnterAsync(lease, token);
            Assert.Equal(OldRows, await CountAsync(lease));
            await ExecuteAsync(lease, "COMMIT");
            await Assert.ThrowsAsync<PostgresException>(() => group.EnterAsync(lease, token).AsTask());
        }, Stop);
    }
}
