using System.Collections.Concurrent;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

public sealed class ForEachTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task ForEachAsync_Items_RunOnceEachOnLeasesThatAreKept(int degree)
    {
        var pool = Pool();
        var done = new ConcurrentBag<int>();
        var leases = new ConcurrentDictionary<long, bool>();

        await pool.ForEachAsync(Enumerable.Range(0, 200), degree, async (lease, item, token) =>
        {
            await using var command = lease.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(token);
            leases[lease.Id] = true;
            done.Add(item);
        }, Stop);

        Assert.Equal(Enumerable.Range(0, 200), done.Order());
        Assert.InRange(leases.Count, 1, Math.Min(degree, pool.MaxSize));
        Assert.Equal(0, pool.GetStatistics().Leased);
    }

    [Fact]
    public async Task ForEachAsync_BodyFails_StopsTheOthersAndThrowsItsError()
    {
        var pool = Pool();
        var started = 0;

        // More items than anybody could work off: it ends because the others are stopped.
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => pool.ForEachAsync(Enumerable.Range(0, int.MaxValue), 4, async (_, item, token) =>
        {
            if (Interlocked.Increment(ref started) == 3)
                throw new InvalidOperationException("third");
            await Task.Yield();
            token.ThrowIfCancellationRequested();
        }, Stop));

        Assert.Equal("third", exception.Message);
        await SettledAsync(pool);
        Assert.Equal((0, 0), (pool.GetStatistics().Leased, pool.GetStatistics().Waiting));
    }

    [Fact]
    public async Task ForEachAsync_BodyFails_DoesNotWaitForWhoHearsOfIt()
    {
        var pool = Pool();
        var isListening = new TaskCompletionSource();
        using var released = new ManualResetEventSlim();
        var failing = pool.ForEachAsync([true, false], degree: 2, async (_, fails, token) =>
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
    public async Task ForEachAsync_Cancelled_ThrowsAndReturnsItsLeases()
    {
        var pool = Pool();
        using var cancellation = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pool.ForEachAsync(Enumerable.Range(0, 10_000), 2, async (_, item, token) =>
        {
            if (item == 5)
                await cancellation.CancelAsync();
            token.ThrowIfCancellationRequested();
        }, cancellation.Token));

        await SettledAsync(pool);
        Assert.Equal(0, pool.GetStatistics().Leased);
    }

    [Fact]
    public async Task ForEachAsync_PoolOtherwiseInUse_WorksWithTheLeaseThatItGets()
    {
        var pool = Pool(options => options.MaxSize = 2);
        await using var held = await pool.RentAsync(Stop);
        var leases = new ConcurrentDictionary<long, bool>();

        await pool.ForEachAsync(Enumerable.Range(0, 50), 2, (lease, _, _) =>
        {
            leases[lease.Id] = true;
            return default;
        }, Stop);

        Assert.Single(leases);
        Assert.Equal((1, 0), (pool.GetStatistics().Leased, pool.GetStatistics().Waiting));
    }

    [Fact]
    public async Task ForEachAsync_NoItems_RentsNothing()
    {
        var pool = Pool();

        await pool.ForEachAsync(Array.Empty<int>(), 2, (_, _, _) => throw new InvalidOperationException("not called"), Stop);

        Assert.Equal(0, pool.GetStatistics().Rented);
    }

    [Fact]
    public async Task ForEachAsync_DegreeBelowOne_IsRefused()
    {
        var pool = Pool();

        var exception = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => pool.ForEachAsync([1], 0, (_, _, _) => default, Stop));

        Assert.Equal("degree", exception.ParamName);
    }
}
