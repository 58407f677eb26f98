using System.Diagnostics;
using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>
/// A server that goes away and comes back under load. Each test has one of its own; where PostgreSQL's programs are missing it is
/// skipped.
/// </summary>
public class RestartTests
{
    private const int Workers = 16;
    private const int Connections = 8;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(PostgresShutdown.Fast)]
    [InlineData(PostgresShutdown.Immediate)]
    public async Task Restart_ValidatedAlways_NothingDeadIsLentOnceTheServerIsBack(PostgresShutdown mode)
    {
        await using var server = await Installed.StartServerAsync();
        // More than are ever in use: those that idle die unseen.
        await using var pool = Pool(server, options =>
        {
            options.MinSize = options.MaxSize = Workers + Connections;
            options.ValidateAfterIdle = TimeSpan.Zero;
        });
        await pool.WarmUpAsync(Stop);
        await using var load = new RestartLoad(pool, Workers, Stop);

        await load.RestartAsync(server, mode, times: 3, restless: false);

        // One lent before the server began to stop may die in its renter's hands. One lent since it is back, and until it stops again, may not.
        Assert.DoesNotContain(load.Failures, static failure => failure.WasUp);
        Assert.All(load.Failures, static failure => Assert.IsAssignableFrom<NpgsqlException>(failure.Exception));
    }

    [Theory]
    [InlineData(PostgresShutdown.Fast)]
    [InlineData(PostgresShutdown.Immediate)]
    public async Task Restart_ByDefault_CostsAWorkerTheCommandThatItRan(PostgresShutdown mode)
    {
        await using var server = await Installed.StartServerAsync();
        await using var pool = Pool(server);
        await using var load = new RestartLoad(pool, Workers, Stop);

        await load.RestartAsync(server, mode, times: 3, restless: true);

        // No rent fails, and none of the other connections that died is lent: the first failure makes them all suspect. Ever so rarely a worker meets two:
        // a server that goes down ends its sessions one after the other, and one that has just answered may be the next.
        Assert.All(load.Failures, static failure => Assert.IsAssignableFrom<NpgsqlException>(failure.Exception));
        Assert.All(load.Failures.CountBy(static failure => (failure.Worker, failure.Restart)), static failures => Assert.InRange(failures.Value, 1, 2));
        Assert.InRange(load.Failures.Count, 1, Connections * 3);
    }

    [Fact]
    public async Task Down_Waiters_AreServedWhenItIsBackAndTheServerIsNotPesteredMeanwhile()
    {
        await using var server = await Installed.StartServerAsync();
        var reconnectDelay = TimeSpan.FromMilliseconds(100);
        await using var pool = Pool(server, options => options.ReconnectDelay = options.MaxReconnectDelay = reconnectDelay);
        await server.StopAsync(cancellationToken: Stop);
        var before = pool.GetStatistics().OpenFailed;
        var startedAt = Stopwatch.GetTimestamp();
        var rents = RentAndUseAllAsync(pool);

        await Eventually.BecomesAsync(() => pool.GetStatistics() is { Waiting: Workers } now && now.OpenFailed >= before + 10, "all wait, and the pool goes on trying");

        // The delay is never below its half. Some attempts are without one: the first, and those that ran beside it.
        var attempts = pool.GetStatistics().OpenFailed - before;
        var allowed = Stopwatch.GetElapsedTime(startedAt) / (reconnectDelay / 2) + 8;
        Assert.InRange(attempts, 10, allowed);
        await server.StartAgainAsync(Stop);
        await rents.WaitAsync(Eventually.Deadline, Stop);
    }

    [Fact]
    public async Task Down_StandbyThatTakesNoSessions_IsWaitedFor()
    {
        await using var server = await Installed.StartServerAsync(new() { Local = true, Settings = new Dictionary<string, string> { ["hot_standby"] = "off" } });
        await using var pool = Pool(server);
        var (file, text) = await server.GetVersionAsync() >= 12 ? ("standby.signal", "") : ("recovery.conf", "standby_mode = on");
        var standby = Path.Combine(await server.ScalarAsync<string>("SHOW data_directory"), file);
        await File.WriteAllTextAsync(standby, text, Stop);
        await server.RestartAsync(cancellationToken: Stop);
        var rents = RentAndUseAllAsync(pool);

        await Eventually.BecomesAsync(() => pool.GetStatistics() is { Waiting: Workers, LastOpenError: PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow } },
            "all wait for a server that says that it cannot be connected to now");

        File.Delete(standby);
        await server.RestartAsync(cancellationToken: Stop);
        await rents.WaitAsync(Eventually.Deadline, Stop);
        Assert.Null(pool.GetStatistics().LastOpenError);
    }

    private static Task RentAndUseAllAsync(ConnectionPool pool) =>
        Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Blocking.RunAsync(() => RentAndUseAsync(pool, async: worker % 2 == 0))));

    private static async Task RentAndUseAsync(ConnectionPool pool, bool async)
    {
        await using var lease = async ? await pool.RentAsync(Stop) : pool.Rent(Stop);
        await using var command = lease.CreateCommand("SELECT 1");
        Assert.Equal(1, await command.ExecuteScalarAsync(Stop));
    }

    private static ConnectionPool Pool(PostgresServer server, Action<ConnectionPoolOptions>? configure = null)
    {
        var options = new ConnectionPoolOptions(server.ConnectionString) { MinSize = 0, MaxSize = Connections };
        configure?.Invoke(options);
        return new ConnectionPool(options);
    }
}
