using Npgsql;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>What one lease leaves behind, and the next one must not find.</summary>
[Trait("Category", "Server")]
public sealed class ResetTests(ServerFixture fixture) : PoolTest(fixture)
{
    public static TheoryData<string, bool> OpenTransactions => new(
        from sql in new[] { "BEGIN", "BEGIN; SELECT 1", "BEGIN; CREATE TEMP TABLE t (a int)", "BEGIN; DO $$ BEGIN RAISE 'failed'; END $$" }
        from async in new[] { true, false }
        select (sql, async));

    [Theory]
    [InlineData(true, "SELECT 1")]
    [InlineData(false, "SELECT 1")]
    [InlineData(true, "SET ROLE NONE")]
    [InlineData(false, "RESET SESSION AUTHORIZATION")]
    public async Task Return_Full_GoesBackToTheRoleOfTheConnectionString(bool async, string sql)
    {
        var role = $"r{Guid.NewGuid():N}";
        await Server.ExecuteAsync($"CREATE ROLE {role}");
        try
        {
            var pool = Pool(options =>
            {
                options.ConnectionString = new NpgsqlConnectionStringBuilder(ConnectionString) { Options = $"-c role={role}" }.ConnectionString;
                options.MaxSize = 1;
            });
            var first = await RentAsync(pool, async);
            await ExecuteAsync(first, sql);
            await ReturnAsync(first, async);

            var next = await RentAsync(pool, async);
            Assert.Equal(role, await ScalarAsync<string>(next, "SELECT current_user::text"));
            await ReturnAsync(next, async);
            await pool.CloseAsync(TimeSpan.Zero, Stop);
        }
        finally
        {
            await Server.ExecuteAsync($"DROP ROLE {role}");
        }
    }

    [Theory]
    [MemberData(nameof(OpenTransactions))]
    public async Task Return_TransactionLeftOpenBySql_IsRolledBackAndTold(string sql, bool async)
    {
        var pool = Pool();
        var lease = await pool.RentAsync(new() { Label = "leaker" }, Stop);
        var session = lease.BackendProcessId;
        try
        {
            await ExecuteAsync(lease, sql);
        }
        catch (PostgresException exception) when (exception.MessageText == "failed")
        {
            // Now the transaction is one that failed.
        }
        await ReturnAsync(lease, async);
        await SettledAsync(pool);

        await using var next = await pool.RentAsync(Stop);
        Assert.Equal(session, next.BackendProcessId);
        Assert.Equal(1, pool.GetStatistics().DirtyReturns);
        var warning = Assert.Single(Log.Warnings);
        Assert.Contains("'leaker'", warning);
        Assert.Contains("ResetTests.cs:", warning);
        // Only outside a transaction block.
        await ExecuteAsync(next, "VACUUM pg_catalog.pg_database");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_TransactionLeftOpenByApi_DoesNotReachTheNextLease(bool async)
    {
        var database = await Server.CreateDatabaseAsync();
        var pool = Pool(options => options.ConnectionString = database);
        var lease = await pool.RentAsync(Stop);
        await ExecuteAsync(lease, "CREATE TABLE t (a int)");
        var transaction = await lease.Connection.BeginTransactionAsync(Stop);
        await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
        await ReturnAsync(lease, async);
        await SettledAsync(pool);

        await using var next = await pool.RentAsync(Stop);
        await ExecuteAsync(next, "INSERT INTO t VALUES (2)");
        Assert.Equal(2, await ScalarAsync<int>(next, "SELECT a FROM t"));
        await Assert.ThrowsAnyAsync<InvalidOperationException>(() => transaction.CommitAsync(Stop));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_Full_DropsAllSessionState(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        await Server.ExecuteAsync("DO $$ BEGIN CREATE ROLE pgpool_other; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$");
        var lease = await pool.RentAsync(Stop);
        var session = lease.BackendProcessId;
        await ExecuteAsync(lease, "SELECT pg_advisory_lock(4711)");
        await ExecuteAsync(lease, "CREATE TEMP TABLE left_behind (a int)");
        await ExecuteAsync(lease, "LISTEN left_behind");
        await ExecuteAsync(lease, "SET statement_timeout = '7s'");
        await ExecuteAsync(lease, "SET session_replication_role = replica");
        await ExecuteAsync(lease, "DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1");
        await ExecuteAsync(lease, "SET ROLE pgpool_other");
        await ReturnAsync(lease, async);
        await SettledAsync(pool);

        Assert.Equal(0L, await Server.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1", session));
        await using var next = await pool.RentAsync(Stop);
        Assert.Equal(session, next.BackendProcessId);
        Assert.Equal("0", await ScalarAsync<string>(next, "SHOW statement_timeout"));
        Assert.Equal("origin", await ScalarAsync<string>(next, "SHOW session_replication_role"));
        Assert.Equal("none", await ScalarAsync<string>(next, "SHOW role"));
        Assert.Equal(0L, await ScalarAsync<long>(next, "SELECT count(*) FROM pg_cursors WHERE name = 'left_behind'"));
        Assert.Equal(0L, await ScalarAsync<long>(next, "SELECT count(*) FROM pg_listening_channels()"));
        Assert.True(await ScalarAsync<bool>(next, "SELECT to_regclass('pg_temp.left_behind') IS NULL"));
        Assert.Empty(Log.Warnings);
        Assert.Equal(0, pool.GetStatistics().DirtyReturns);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("", false)]
    [InlineData(";Max Auto Prepare=5;Auto Prepare Min Usages=2", true)]
    [InlineData(";Max Auto Prepare=5;Auto Prepare Min Usages=2", false)]
    public async Task Return_Full_KeepsPreparedStatementsWorking(string keywords, bool async)
    {
        var pool = Pool(options =>
        {
            options.ConnectionString += keywords;
            options.MaxSize = 1;
        });
        for (var i = 0; i < 20; i++)
        {
            var lease = await pool.RentAsync(Stop);
            await using (var command = lease.CreateCommand("SELECT $1 + 1"))
            {
                command.Parameters.Add(new() { Value = i });
                if (keywords.Length == 0)
                    await command.PrepareAsync(Stop);
                Assert.Equal(i + 1, await command.ExecuteScalarAsync(Stop));
            }
            await ReturnAsync(lease, async);
        }
        await SettledAsync(pool);

        Assert.Equal((1L, 0L), (pool.GetStatistics().Opened, pool.GetStatistics().Closed));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_Full_AsksForDiscardAllUntilSomethingIsPrepared(bool async)
    {
        await NeedsVersionAsync(12, "a DISCARD ALL that keeps the role of the connection string");
        var pool = Pool(options => options.MaxSize = 1);
        await ReturnAsync(await UsedAsync(prepared: false), async);
        await SettledAsync(pool);
        Assert.Equal("DISCARD ALL", await LastStatementAsync());

        await ReturnAsync(await UsedAsync(prepared: true), async);
        await SettledAsync(pool);
        Assert.NotEqual("DISCARD ALL", await LastStatementAsync());

        await using var next = await pool.RentAsync(Stop);
        Assert.Equal(1L, await ScalarAsync<long>(next, "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 4711'"));

        async Task<ConnectionLease> UsedAsync(bool prepared)
        {
            var lease = await pool.RentAsync(Stop);
            await using var command = lease.CreateCommand("SELECT 4711");
            if (prepared)
                await command.PrepareAsync(Stop);
            Assert.Equal(4711, await command.ExecuteScalarAsync(Stop));
            return lease;
        }
    }

    public static MatrixTheoryData<string, bool> Droppings => new(["DISCARD ALL", "DEALLOCATE ALL"], [true, false]);

    [Theory]
    [MemberData(nameof(Droppings))]
    public async Task Return_FirstPreparedStatementDroppedBehindNpgsqlsBack_IsPreparedAnewForTheNext(string sql, bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        for (var renter = 0; renter < 3; renter++)
        {
            var lease = await RentAsync(pool, async);
            await using (var command = lease.CreateCommand("SELECT 1 + $1"))
            {
                command.Parameters.Add(new() { Value = 1 });
                await command.PrepareAsync(Stop);
                Assert.Equal(2, await command.ExecuteScalarAsync(Stop));
            }
            if (renter == 0)
                await ExecuteAsync(lease, sql);
            await ReturnAsync(lease, async);
            await SettledAsync(pool);
        }

        Assert.Equal(1, pool.GetStatistics().Opened);
    }

    [Theory]
    [InlineData("DISCARD ALL")]
    [InlineData("DEALLOCATE ALL")]
    public async Task Return_PreparedStatementsDroppedBehindNpgsqlsBack_IsStillReset(string sql)
    {
        var pool = Pool(options => options.MaxSize = 1);
        for (var i = 0; i < 3; i++)
        {
            await using (var lease = await pool.RentAsync(Stop))
            {
                await ExecuteAsync(lease, "SET statement_timeout = '7s'");
                await ExecuteAsync(lease, sql);
                await ExecuteAsync(lease, "SET lock_timeout = '7s'");
            }
            await SettledAsync(pool);
            await using var next = await pool.RentAsync(Stop);
            Assert.Equal("0", await ScalarAsync<string>(next, "SHOW lock_timeout"));
        }

        Assert.Equal((1L, 0L), (pool.GetStatistics().Opened, pool.GetStatistics().Closed));
        Assert.Empty(Log.Warnings);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_Full_KeepsWhatTheHookForNewSessionsHasPrepared(bool async)
    {
        var pool = Pool(options =>
        {
            options.MaxSize = 1;
            options.OnConnectionOpened = async (connection, token) =>
            {
                await using var command = new NpgsqlCommand("PREPARE of_the_hook AS SELECT 4711", connection);
                await command.ExecuteNonQueryAsync(token);
            };
        });
        for (var i = 0; i < 3; i++)
        {
            var lease = await pool.RentAsync(Stop);
            Assert.Equal(4711, await ScalarAsync<int>(lease, "EXECUTE of_the_hook"));
            await ReturnAsync(lease, async);
        }
        await SettledAsync(pool);

        Assert.Equal(1, pool.GetStatistics().Opened);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_UnpreparedAndPreparedAnew_NeverRunsTheRentersStatements(bool inOneLease)
    {
        var database = await Server.CreateDatabaseAsync();
        var pool = Pool(options => (options.ConnectionString, options.MaxSize) = (database, 1));
        await PrepareAsync("CREATE TABLE IF NOT EXISTS t (a int)");
        await using (var lease = await pool.RentAsync(Stop))
        {
            await ExecuteAsync(lease, "CREATE TABLE IF NOT EXISTS t (a int)");
            lease.Connection.UnprepareAll();
            if (inOneLease)
                await PrepareInsertsAsync(lease);
        }
        await using (var lease = await pool.RentAsync(Stop))
        {
            if (!inOneLease)
                await PrepareInsertsAsync(lease);
            await ExecuteAsync(lease, "SET statement_timeout = '7s'");
        }

        await using var next = await pool.RentAsync(Stop);
        Assert.Equal("0", await ScalarAsync<string>(next, "SHOW statement_timeout"));
        Assert.Equal(0L, await ScalarAsync<long>(next, "SELECT count(*) FROM t"));

        async Task PrepareAsync(string sql)
        {
            await using var lease = await pool.RentAsync(Stop);
            await using var command = lease.CreateCommand(sql);
            await command.PrepareAsync(Stop);
        }

        // More than the reset has statements: they take over all the names that those had.
        async Task PrepareInsertsAsync(ConnectionLease lease)
        {
            for (var i = 0; i < 12; i++)
            {
                await using var command = lease.CreateCommand($"INSERT INTO t VALUES ({i})");
                await command.PrepareAsync(Stop);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_RollbackOnly_KeepsSettingsAndEndsTransactions(bool async)
    {
        var pool = Pool(options => options.SessionReset = SessionReset.RollbackOnly);
        var lease = await pool.RentAsync(Stop);
        await ExecuteAsync(lease, "SET statement_timeout = '7s'");
        await ExecuteAsync(lease, "BEGIN");
        await ReturnAsync(lease, async);
        await SettledAsync(pool);

        await using var next = await pool.RentAsync(Stop);
        Assert.Equal("7s", await ScalarAsync<string>(next, "SHOW statement_timeout"));
        await ExecuteAsync(next, "VACUUM pg_catalog.pg_database");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_RollbackOnlyAndNoTransactionOpen_AsksNothingOfTheServer(bool async)
    {
        var pool = Pool(options => options.SessionReset = SessionReset.RollbackOnly);
        var lease = await pool.RentAsync(Stop);
        await ScalarAsync<int>(lease, "SELECT 1");
        var query = await LastQueryAsync();

        await ReturnAsync(lease, async);
        await SettledAsync(pool);

        Assert.Equal(query, await LastQueryAsync());
        Assert.Equal(1, pool.GetStatistics().Idle);
    }

    [Fact]
    public async Task Return_ResetNone_DoesNothingToTheSession()
    {
        var pool = Pool(options => options.SessionReset = SessionReset.None);
        await using (var lease = await pool.RentAsync(Stop))
            await ExecuteAsync(lease, "CREATE TEMP TABLE kept (a int)");

        await using var next = await pool.RentAsync(Stop);
        Assert.Equal(0L, await ScalarAsync<long>(next, "SELECT count(*) FROM kept"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_LeaseNeverLookedAt_AsksNothingOfTheServer(bool async)
    {
        var pool = Pool();
        await using (var lease = await pool.RentAsync(Stop))
            await ScalarAsync<int>(lease, "SELECT 1");
        await SettledAsync(pool);
        var query = await LastQueryAsync();

        await ReturnAsync(await pool.RentAsync(Stop), async);
        await SettledAsync(pool);

        Assert.Equal(query, await LastQueryAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Hooks_RunWhenOpenedAndAfterEachReset(bool async)
    {
        int opened = 0, returned = 0;
        var pool = Pool(options =>
        {
            options.OnConnectionOpened = (_, _) => Count(ref opened);
            options.OnConnectionReturned = async (connection, token) =>
            {
                await using var command = new NpgsqlCommand("SET statement_timeout = '9s'", connection);
                await command.ExecuteNonQueryAsync(token);
                await Count(ref returned);
            };
        });
        for (var i = 0; i < 3; i++)
        {
            var lease = await pool.RentAsync(Stop);
            await ScalarAsync<int>(lease, "SELECT 1");
            await ReturnAsync(lease, async);
            await SettledAsync(pool);
        }

        Assert.Equal((1, 3), (opened, returned));
        await using var next = await pool.RentAsync(Stop);
        Assert.Equal("9s", await ScalarAsync<string>(next, "SHOW statement_timeout"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnConnectionReturned_Throws_ClosesTheConnection(bool async)
    {
        var pool = Pool(options => options.OnConnectionReturned = (_, _) => throw new InvalidOperationException("hook"));
        var lease = await pool.RentAsync(Stop);
        await ScalarAsync<int>(lease, "SELECT 1");
        await ReturnAsync(lease, async);
        await SettledAsync(pool);

        Assert.Equal(1, pool.GetStatistics().ClosedByReason[CloseReason.ResetFailed]);
        Assert.Equal(0, pool.GetStatistics().Total);
    }

    private Task<string> LastStatementAsync()
        => Server.ScalarAsync<string>("SELECT query FROM pg_stat_activity WHERE application_name = $1", ApplicationName);

    private Task<string> LastQueryAsync()
        => Server.ScalarAsync<string>("SELECT query || query_start FROM pg_stat_activity WHERE application_name = $1", ApplicationName);

    private static ValueTask Count(ref int count)
    {
        Interlocked.Increment(ref count);
        return default;
    }
}
