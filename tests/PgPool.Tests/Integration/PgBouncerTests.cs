using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>PgBouncer in session mode, where a session is one's own; and what is the same in both modes.</summary>
public sealed class PgBouncerTests(ServerFixture fixture) : PgBouncerTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_Full_DropsAllSessionState(bool async)
    {
        await StartAsync(PgBouncerPoolMode.Session);
        var pool = PoolBehind(options => options.MaxSize = 1);
        var lease = await pool.RentAsync(Stop);
        var backend = await BackendAsync(lease);
        await ExecuteAsync(lease, "SELECT pg_advisory_lock(4712)");
        await ExecuteAsync(lease, "CREATE TEMP TABLE left_behind (a int)");
        await ExecuteAsync(lease, "SET statement_timeout = '7s'");
        await ReturnAsync(lease, async);
        await SettledAsync(pool);

        Assert.Equal(0L, await Server.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1", backend));
        await using var next = await pool.RentAsync(Stop);
        Assert.Equal(backend, await BackendAsync(next));
        Assert.Equal("0", await ScalarAsync<string>(next, "SHOW statement_timeout"));
        Assert.True(await ScalarAsync<bool>(next, "SELECT to_regclass('pg_temp.left_behind') IS NULL"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_Full_KeepsWhatPgBouncerHadSetForTheConnectionString(bool async)
    {
        await StartAsync(PgBouncerPoolMode.Session);

        // To PgBouncer these are settings made after the start of the session, which RESET ALL takes back. Npgsql speaks UTF-8 whatever is set.
        var name = $"pgpool_{Guid.NewGuid():N}";
        await Server.ExecuteAsync($"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
        var database = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name, Timezone = "Asia/Tokyo" };
        var pool = PoolBehind(options => options.MaxSize = 1, database.ConnectionString);
        for (var i = 0; i < 3; i++)
        {
            var lease = await pool.RentAsync(Stop);
            Assert.Equal("UTF8", await ScalarAsync<string>(lease, "SHOW client_encoding"));
            Assert.Equal("Asia/Tokyo", await ScalarAsync<string>(lease, "SHOW timezone"));
            Assert.Equal(ApplicationName, await ScalarAsync<string>(lease, "SHOW application_name"));
            Assert.Equal(1, await ScalarAsync<int>(lease, "SELECT length('\u00e9')"));
            await ReturnAsync(lease, async);
            await SettledAsync(pool);
        }

        Assert.Equal((1L, 0L), (pool.GetStatistics().Opened, pool.GetStatistics().Closed));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_TransactionLeftOpen_IsRolledBackAndTold(bool async)
    {
        await StartAsync(PgBouncerPoolMode.Session);
        var database = await Server.CreateDatabaseAsync();
        var pool = PoolBehind(options => options.MaxSize = 1, database);
        var lease = await pool.RentAsync(Stop);
        await ExecuteAsync(lease, "CREATE TABLE t (a int)");
        await ExecuteAsync(lease, "BEGIN; INSERT INTO t VALUES (1)");
        await ReturnAsync(lease, async);
        await SettledAsync(pool);

        await using var next = await pool.RentAsync(Stop);
        Assert.Equal(0L, await ScalarAsync<long>(next, "SELECT count(*) FROM t"));
        Assert.Equal((1L, 1L), (pool.GetStatistics().DirtyReturns, pool.GetStatistics().Opened));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_Busy_EndsTheStatementAndNobodyElses(bool async)
    {
        await StartAsync(PgBouncerPoolMode.Session);
        var pool = PoolBehind();
        await using var bystander = await pool.RentAsync(Stop);
        var backend = await BackendAsync(bystander);
        var lease = await pool.RentAsync(Stop);
        var running = ExecuteAsync(lease, "SELECT pg_sleep(600)");
        await Eventually.BecomesAsync(async () => await RunningAsync("%pg_sleep(600)") == 1, "it runs");
        await ReturnAsync(lease, async);

        await Assert.ThrowsAnyAsync<Exception>(() => running);
        await Eventually.BecomesAsync(() => pool.GetStatistics() is { Total: 1, Closed: 1 }, "the place has come back");
        await Eventually.BecomesAsync(async () => await RunningAsync("%pg_sleep(600)") == 0, "nothing runs");
        Assert.Equal(backend, await BackendAsync(bystander));
    }

    [Theory]
    [InlineData("COPY (SELECT generate_series(1, 2000000)) TO STDOUT BINARY", true)]
    [InlineData("COPY (SELECT generate_series(1, 2000000)) TO STDOUT BINARY", false)]
    [InlineData("COPY t FROM STDIN BINARY", true)]
    [InlineData("COPY t FROM STDIN BINARY", false)]
    public async Task Return_CopyOpen_EndsItWithoutWaitingForABackendThatIsNotThere(string copy, bool async)
    {
        await StartAsync(PgBouncerPoolMode.Session);

        // What is waited for when the server does not answer is longer than this test waits.
        var pool = PoolBehind(options => options.OpenTimeout = TimeSpan.FromSeconds(40));
        var lease = await pool.RentAsync(Stop);
        await ExecuteAsync(lease, "CREATE TEMP TABLE t (a int)");
        await lease.Connection.BeginRawBinaryCopyAsync(copy, Stop);
        await ReturnAsync(lease, async);

        await Eventually.BecomesAsync(() => pool.GetStatistics() is { Total: 0, Closed: 1 }, "the place has come back");
        await Eventually.BecomesAsync(async () => await RunningAsync("COPY%") == 0, "nothing is copied");
    }

    [Fact]
    public async Task CheckAsync_ServerConnectionsEnded_AreCountedAndReplaced()
    {
        await StartAsync(PgBouncerPoolMode.Session);
        var pool = PoolBehind(options => options.MinSize = 3);
        await pool.WarmUpAsync(Stop);
        Assert.Equal(0, await pool.CheckAsync(Stop));
        Assert.Equal(3, await Server.TerminateBackendsAsync(ApplicationName));

        Assert.Equal(3, await pool.CheckAsync(Stop));

        await Eventually.BecomesAsync(() => pool.GetStatistics() is { Idle: 3, Opened: 6 }, "three new ones are there");
        Assert.Equal(0, await pool.CheckAsync(Stop));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rent_ManyWorkers_KeepTheirSessions(bool async)
    {
        await StartAsync(PgBouncerPoolMode.Session);
        var pool = PoolBehind();

        await WorkAsync(pool, workers: 16, times: 20, async, "SELECT pg_advisory_lock(4713, pg_backend_pid())");
        await SettledAsync(pool);

        Assert.InRange(pool.GetStatistics().Opened, 1, 4);
        Assert.Equal((320L, 0L), (pool.GetStatistics().Rented, pool.GetStatistics().Closed));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Rent_PgBouncerRestartedUnderLoad_LendsAgain(PgBouncerPoolMode mode, bool async)
    {
        await StartAsync(mode);
        var pool = PoolBehind(options =>
        {
            options.SessionReset = mode == PgBouncerPoolMode.Session ? SessionReset.Full : SessionReset.RollbackOnly;
            options.ValidateAfterIdle = TimeSpan.Zero;
            options.MaxReconnectDelay = options.ReconnectDelay;
        });
        using var enough = new CancellationTokenSource();
        var workers = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(WorkUntilEnoughAsync, Stop)));
        await Eventually.BecomesAsync(() => pool.GetStatistics().Rented > 100, "they work");

        await Bouncer.StopAsync(Stop);
        await Eventually.BecomesAsync(() => pool.GetStatistics().OpenFailed > 0, "the pool has noticed");
        await Bouncer.StartAgainAsync(Stop);
        await WorkAsync(pool, workers: 4, times: 20, async, "SELECT 1");

        await enough.CancelAsync();
        await workers;
        Assert.Equal(0, await pool.CheckAsync(Stop));

        async Task WorkUntilEnoughAsync()
        {
            while (!enough.IsCancellationRequested)
            {
                try
                {
                    await WorkAsync(pool, workers: 1, times: 1, async: true, "SELECT 1");
                }
                catch (NpgsqlException)
                {
                    // It was at work when PgBouncer was killed.
                }
            }
        }
    }
}
