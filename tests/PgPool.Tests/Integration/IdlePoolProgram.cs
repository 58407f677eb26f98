namespace PgPool.Tests.Integration;

/// <summary>A program that makes a pool, uses it, and ends without a thought for it.</summary>
internal static class IdlePoolProgram
{
    public const string Name = "idle-pool";

    /// <summary>Names the environment variable with the connection string.</summary>
    public const string ConnectionVariable = "PGPOOL_IDLE_POOL_CONNECTION";

    /// <summary>With this argument it does not expect to get a connection.</summary>
    public const string Unreachable = "unreachable";

    // Reachable to the end: it is not the garbage collector that ends them.
    private static readonly List<object> Reachable = [];

    public static async Task<int> RunAsync(string[] arguments)
    {
        var connectionString = Environment.GetEnvironmentVariable(ConnectionVariable)
            ?? throw new InvalidOperationException($"{ConnectionVariable} is not set.");
        var expectsNothing = arguments is [Unreachable];
        var pool = new ConnectionPool(new ConnectionPoolOptions(connectionString)
        {
            MinSize = expectsNothing ? 0 : 2,
            MaxSize = 4,
            OpenTimeout = TimeSpan.FromMinutes(10),
        });
        Reachable.Add(pool);
        if (expectsNothing)
            LeaveWaiting(pool);
        else
            await LeaveIdleAsync(pool);
        var statistics = pool.GetStatistics();
        Console.WriteLine($"leased {statistics.Leased}, waiting {statistics.Waiting}");
        return 0;
    }

    private static async Task LeaveIdleAsync(ConnectionPool pool)
    {
        await pool.WarmUpAsync();
        await using (var lease = await pool.RentAsync())
        {
            await using var command = lease.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync();
        }
        using (var lease = pool.Rent())
        {
            using var command = lease.CreateCommand("SELECT 1");
            command.ExecuteScalar();
        }
        Reachable.Add(await pool.RentAsync());
    }

    // The blocking rent has the pool start threads of its own, which last as long as it waits and as an open hangs.
    private static void LeaveWaiting(ConnectionPool pool)
    {
        new Thread(() => pool.Rent(new() { Timeout = Timeout.InfiniteTimeSpan })) { IsBackground = true }.Start();
        SpinWait.SpinUntil(() => pool.GetStatistics().Waiting == 1);
        Reachable.Add(pool.RentAsync(new() { Timeout = Timeout.InfiniteTimeSpan }).AsTask());
    }
}
