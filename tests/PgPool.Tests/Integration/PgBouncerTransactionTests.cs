using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>PgBouncer in transaction mode: what stands behind a session changes with each transaction.</summary>
public sealed class PgBouncerTransactionTests(ServerFixture fixture) : PgBouncerTest(fixture)
{
    public static MatrixTheoryData<SessionReset, bool> Ways => new([SessionReset.None, SessionReset.RollbackOnly], [true, false]);

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Rent_ManyWorkersOverTwoServerConnections_DoTheirWork(SessionReset reset, bool async)
    {
        await StartAsync(PgBouncerPoolMode.Transaction, new() { ["default_pool_size"] = "2" });
        var database = await CounterAsync();
        var pool = PoolBehind(options =>
        {
            options.SessionReset = reset;
            options.MaxSize = 16;
        }, database);

        await WorkAsync(pool, workers: 16, times: 20, async, "UPDATE counter SET n = n + 1");

        await using var lease = await pool.RentAsync(Stop);
        Assert.Equal(320, await ScalarAsync<int>(lease, "SELECT n FROM counter"));
        Assert.Equal(0, pool.GetStatistics().Closed);
        Assert.InRange(await BackendsAsync(), 1, 2);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Return_AfterTransactions_KeepsWhatWasCommittedAlone(SessionReset reset, bool async)
    {
        await StartAsync(PgBouncerPoolMode.Transaction, new() { ["default_pool_size"] = "2" });
        var database = await CounterAsync();
        var pool = PoolBehind(options => options.SessionReset = reset, database);
        foreach (var commits in new[] { true, false })
        {
            var lease = await pool.RentAsync(Stop);
            await using (var transaction = await lease.Connection.BeginTransactionAsync(Stop))
            {
                await ExecuteAsync(lease, "UPDATE counter SET n = n + 1");
                await ExecuteAsync(lease, "UPDATE counter SET n = n + 10");
                if (commits)
                    await transaction.CommitAsync(Stop);
            }
            await ReturnAsync(lease, async);
        }
        await SettledAsync(pool);

        await using var next = await pool.RentAsync(Stop);
        Assert.Equal(11, await ScalarAsync<int>(next, "SELECT n FROM counter"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_RollbackOnly_GivesTheServerConnectionOfAnOpenTransactionBack(bool async)
    {
        await StartAsync(PgBouncerPoolMode.Transaction, new() { ["default_pool_size"] = "1" });
        var pool = PoolBehind(options => options.SessionReset = SessionReset.RollbackOnly, await CounterAsync());
        await using var other = await pool.RentAsync(Stop);
        var lease = await pool.RentAsync(Stop);
        await ExecuteAsync(lease, "BEGIN; UPDATE counter SET n = 1");
        await ReturnAsync(lease, async);
        await Eventually.BecomesAsync(() => pool.GetStatistics().Idle == 1, "the return is done");

        Assert.Equal(0, await ScalarAsync<int>(other, "SELECT n FROM counter"));
        Assert.Equal((1L, 0L), (pool.GetStatistics().DirtyReturns, pool.GetStatistics().Closed));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Return_Busy_EndsTheStatementAndNobodyElses(SessionReset reset, bool async)
    {
        await StartAsync(PgBouncerPoolMode.Transaction, new() { ["default_pool_size"] = "2" });
        var pool = PoolBehind(options => options.SessionReset = reset);
        await using var bystander = await pool.RentAsync(Stop);
        await ExecuteAsync(bystander, "BEGIN");
        var backend = await BackendAsync(bystander);
        var lease = await pool.RentAsync(Stop);
        var running = ExecuteAsync(lease, "SELECT pg_sleep(600)");
        await Eventually.BecomesAsync(async () => await RunningAsync("%pg_sleep(600)") == 1, "it runs");
        await ReturnAsync(lease, async);

        await Assert.ThrowsAnyAsync<Exception>(() => running);
        await Eventually.BecomesAsync(async () => await RunningAsync("%pg_sleep(600)") == 0, "nothing runs");
        Assert.Equal(backend, await BackendAsync(bystander));
        await ExecuteAsync(bystander, "COMMIT");
    }

    [Fact]
    public async Task Idle_MoreThanServerConnections_AreAllKeptAlive()
    {
        await StartAsync(PgBouncerPoolMode.Transaction, new() { ["default_pool_size"] = "2" });
        var pool = PoolBehind(options =>
        {
            options.SessionReset = SessionReset.None;
            options.MinSize = options.MaxSize = 8;
            options.KeepAliveInterval = TimeSpan.FromMilliseconds(100);
            options.ValidateAfterIdle = TimeSpan.Zero;
        });
        await pool.WarmUpAsync(Stop);

        Assert.Equal(0, await pool.CheckAsync(Stop));
        await using var several = await pool.RentManyAsync(8, cancellationToken: Stop);
        Assert.Equal((8L, 0L), (pool.GetStatistics().Opened, pool.GetStatistics().Closed));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task RequireReadWrite_ServerTurnsReadOnly_IsNotLentWhateverPgBouncerRemembers(PgBouncerPoolMode mode, bool async)
    {
        await StartAsync(mode);
        var database = await CounterAsync();
        var name = new NpgsqlConnectionStringBuilder(database).Database;
        var pool = PoolBehind(options =>
        {
            options.SessionReset = SessionReset.None;
            options.RequireReadWrite = true;
            options.ValidateAfterIdle = TimeSpan.Zero;
        }, database);
        await WorkAsync(pool, workers: 1, times: 1, async, "UPDATE counter SET n = 1");
        // By their database: those that PgBouncer keeps have no application's name.
        const string Backends = "SELECT pid FROM pg_stat_activity WHERE datname = $1";

        await Server.ExecuteAsync($"ALTER DATABASE {name} SET default_transaction_read_only = on");
        await Server.TerminateAsync(Backends, name!);
        var exception = await Assert.ThrowsAsync<PoolTimeoutException>(() => RentAsync(pool, async, TimeSpan.FromSeconds(1)));
        Assert.Contains("read-only", exception.Message, StringComparison.Ordinal);

        await Server.ExecuteAsync($"ALTER DATABASE {name} RESET default_transaction_read_only");
        await Server.TerminateAsync(Backends, name!);
        await WorkAsync(pool, workers: 1, times: 1, async, "UPDATE counter SET n = 2");
    }

    /// <summary>A database with a row to count in, under this test's name.</summary>
    private async Task<string> CounterAsync()
    {
        var database = await Server.CreateDatabaseAsync();
        await Unpooled.ExecuteAsync(database, "CREATE TABLE counter AS SELECT 0 AS n");
        return new NpgsqlConnectionStringBuilder(database) { ApplicationName = ApplicationName }.ConnectionString;
    }
}
