using System.Runtime.CompilerServices;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>Closing a pool while something is under way.</summary>
public sealed class ShutdownTests(ServerFixture fixture) : ShutdownTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_OpenHangs_RenterIsToldAndTheOpenEnds(bool async)
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        proxy.Mode = FaultMode.Deaf;
        await LeavesNothingAsync(async pool =>
        {
            var rent = RentAsync(pool, async);
            await Eventually.BecomesAsync(() => proxy.Accepted > 0, "the open hangs");

            await pool.CloseAsync(TimeSpan.Zero, Stop);

            await Assert.ThrowsAsync<ObjectDisposedException>(() => rent);
            proxy.CutAll();
        }, options =>
        {
            options.ConnectionString = proxy.ConnectionStringFor(ConnectionString);
            options.OpenTimeout = TimeSpan.FromSeconds(1);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_OpenIsSlow_RenterIsToldAndTheOpenEnds(bool async)
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        proxy.ConnectDelay = TimeSpan.FromMilliseconds(500);
        await LeavesNothingAsync(async pool =>
        {
            var rent = RentAsync(pool, async);
            await Eventually.BecomesAsync(() => pool.GetStatistics().Opening > 0, "the open is under way");

            await pool.CloseAsync(TimeSpan.FromSeconds(10), Stop);

            await Assert.ThrowsAsync<ObjectDisposedException>(() => rent);
        }, options => options.ConnectionString = proxy.ConnectionStringFor(ConnectionString));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_Waiters_AreToldWhateverTheyWaitFor(bool suspended)
    {
        await LeavesNothingAsync(async pool =>
        {
            // All of them, so that none can be opened for those who come now.
            var leases = await pool.RentManyAsync(2, cancellationToken: Stop);
            if (suspended)
                pool.Suspend();
            Task[] rents = [RentAsync(pool, async: true), RentAsync(pool, async: false), pool.RentManyAsync(2, cancellationToken: Stop).AsTask(),
                pool.ForEachAsync([1, 2], degree: 2, (_, _, _) => default, Stop)];
            await Eventually.BecomesAsync(() => pool.GetStatistics().Waiting == rents.Length, "all wait");

            var closing = pool.CloseAsync(Timeout.InfiniteTimeSpan, Stop);

            foreach (var rent in rents)
                await Assert.ThrowsAsync<ObjectDisposedException>(() => rent);
            Assert.False(closing.IsCompleted);
            await leases.DisposeAsync();
            await closing;
        }, options => options.MaxSize = 2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_ResetUnderWay_WaitsForIt(bool async)
    {
        var hook = new TaskCompletionSource();
        var entered = new TaskCompletionSource();
        await LeavesNothingAsync(async pool =>
        {
            var lease = await pool.RentAsync(Stop);
            await ExecuteAsync(lease, "SELECT 1");
            var returning = Task.Run(() => ReturnAsync(lease, async), Stop);
            await entered.Task;

            var closing = pool.CloseAsync(TimeSpan.Zero, Stop);

            Assert.Equal((1, false), (pool.GetStatistics().Resetting, closing.IsCompleted));
            hook.SetResult();
            await closing;
            await returning;
        }, options => options.OnConnectionReturned = (_, _) =>
        {
            entered.SetResult();
            return new ValueTask(hook.Task);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_ResetHangs_GivesItUpAtResetTimeout(bool async)
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        await LeavesNothingAsync(async pool =>
        {
            var lease = await pool.RentAsync(Stop);
            await ExecuteAsync(lease, "SELECT 1");
            proxy.Mode = FaultMode.Deaf;
            var returning = Task.Run(() => ReturnAsync(lease, async), Stop);
            await Eventually.BecomesAsync(() => pool.GetStatistics().Resetting == 1, "the reset hangs");

            await pool.CloseAsync(TimeSpan.Zero, Stop);

            await returning;
            proxy.CutAll();
        }, options =>
        {
            options.ConnectionString = proxy.ConnectionStringFor(ConnectionString);
            options.ResetTimeout = TimeSpan.FromSeconds(1.5);
            options.OpenTimeout = TimeSpan.FromSeconds(1);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_ValidationHangs_RenterIsToldAtOnce(bool async)
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        await LeavesNothingAsync(async pool =>
        {
            await (await pool.RentAsync(Stop)).DisposeAsync();
            proxy.Mode = FaultMode.Deaf;
            var rent = RentAsync(pool, async);
            await Eventually.BecomesAsync(() => pool.GetStatistics() is { Waiting: 1, Resetting: 1 }, "the ping hangs");

            var closing = pool.CloseAsync(TimeSpan.Zero, Stop);

            await Assert.ThrowsAsync<ObjectDisposedException>(() => rent);
            await closing;
            proxy.CutAll();
        }, options =>
        {
            options.ConnectionString = proxy.ConnectionStringFor(ConnectionString);
            options.ValidateAfterIdle = TimeSpan.Zero;
            options.ValidationTimeout = TimeSpan.FromSeconds(1);
            options.ResetTimeout = TimeSpan.FromMilliseconds(300);
            options.OpenTimeout = TimeSpan.FromSeconds(1);
        });
    }

    [Fact]
    public async Task Close_LeaseDropped_EndsAfterItIsCollected()
    {
        await LeavesNothingAsync(async pool =>
        {
            await DropAsync(pool);

            var closing = pool.CloseAsync(Timeout.InfiniteTimeSpan, Stop);

            await Eventually.BecomesAsync(() =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return closing.IsCompleted;
            }, "the pool is closed");
            Assert.Equal(1, pool.GetStatistics().Abandoned);
        });

        [MethodImpl(MethodImplOptions.NoInlining)]
        static async Task DropAsync(ConnectionPool pool) => await ExecuteAsync(await pool.RentAsync(Stop), "SELECT 1");
    }

    [Fact]
    public async Task Close_InEveryWayAtOnceUnderLoad_EndsTheLoadAndAllOfThem()
    {
        await LeavesNothingAsync(async pool =>
        {
            var renters = Enumerable.Range(0, 16).Select(i => Blocking.RunAsync(() => RentUntilClosedAsync(pool, async: i % 2 == 0))).ToArray();
            await Eventually.BecomesAsync(() => pool.GetStatistics() is { Rented: > 50, Total: 4 }, "they rent");

            await Task.WhenAll(
                Task.Run(() => pool.CloseAsync(TimeSpan.FromSeconds(20), Stop), Stop),
                Task.Run(pool.Dispose, Stop),
                Task.Run(async () => await pool.DisposeAsync(), Stop),
                Task.Run(() => pool.CloseAsync(TimeSpan.Zero, Stop), Stop));

            foreach (var renter in renters)
                await Assert.ThrowsAsync<ObjectDisposedException>(() => renter);
        });
    }

    private static async Task RentUntilClosedAsync(ConnectionPool pool, bool async)
    {
        while (true)
        {
            var lease = async ? await pool.RentAsync(Stop) : pool.Rent(Stop);
            await ReturnAsync(lease, async);
        }
    }
}
