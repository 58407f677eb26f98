using System.Reflection;
using System.Runtime.CompilerServices;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>A test of a pool that is closed, and of which nothing may be left: no session, no timer, no task, no thread.</summary>
public abstract class ShutdownTest(ServerFixture fixture) : PoolTest(fixture)
{
    /// <summary>Runs what closes a pool, and then finds nothing left of it.</summary>
    protected async Task LeavesNothingAsync(Func<ConnectionPool, Task> scenario, Action<ConnectionPoolOptions>? configure = null)
    {
        var options = new ConnectionPoolOptions(ConnectionString) { MinSize = 0, MaxSize = 4, LoggerFactory = Log };
        configure?.Invoke(options);
        var remains = await UseAsync(options, scenario);

        await Eventually.BecomesAsync(async () => await BackendsAsync() == 0, "no session is left");
        // A timer, a task or a thread that still had to do with the pool would keep it, or its engine, reachable.
        await Eventually.BecomesAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return !remains.Exists(static remain => remain.IsAlive);
        }, "the pool and its engine can be collected");
    }

    // A method of its own, whose locals are gone when it has returned.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<List<WeakReference>> UseAsync(ConnectionPoolOptions options, Func<ConnectionPool, Task> scenario)
    {
        var pool = new ConnectionPool(options);
        try
        {
            await scenario(pool).WaitAsync(Eventually.Deadline, Stop);
        }
        finally
        {
            await pool.CloseAsync(TimeSpan.Zero, Stop).WaitAsync(Eventually.Deadline, Stop);
        }

        var statistics = pool.GetStatistics();
        Assert.Equal((0, 0, 0, 0, 0, 0),
            (statistics.Total, statistics.Idle, statistics.Leased, statistics.Resetting, statistics.Opening, statistics.Waiting));
        Assert.Equal(statistics.Opened, statistics.Closed);
        var engine = typeof(ConnectionPool).GetField("_engine", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(pool);
        return [new WeakReference(pool), new WeakReference(engine)];
    }
}
