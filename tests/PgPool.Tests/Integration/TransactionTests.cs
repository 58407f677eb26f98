using System.Transactions;
using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>Transactions of System.Transactions: the pool joins none by itself, and keeps a session back that its renter has enlisted in one.</summary>
public sealed class TransactionTests(ServerFixture fixture) : PoolTest(fixture)
{
    private string _database = "";

    public override async ValueTask InitializeAsync()
    {
        _database = new NpgsqlConnectionStringBuilder(await Server.CreateDatabaseAsync()) { ApplicationName = ApplicationName }.ConnectionString;
        await Unpooled.ExecuteAsync(_database, "CREATE TABLE t (a int)");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rent_InAScope_TakesNoPartInIt(bool async)
    {
        var pool = NewPool(options => options.ConnectionString += ";Enlist=true");
        using (NewScope())
        {
            // Both have to be opened for this.
            await using var lease = async ? await pool.RentAsync(Stop) : pool.Rent(Stop);
            await using var other = async ? await pool.RentAsync(Stop) : pool.Rent(Stop);
            await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
            await ExecuteAsync(other, "INSERT INTO t VALUES (2)");
        }

        Assert.Equal(2, await RowsAsync(pool));
    }

    public static MatrixTheoryData<SessionReset, bool, bool> Returns => new(Enum.GetValues<SessionReset>(), [true, false], [true, false]);

    [Theory]
    [MemberData(nameof(Returns))]
    public async Task Return_BeforeItsScopeEnds_IsKeptBackUntilThen(SessionReset reset, bool completes, bool async)
    {
        var pool = NewPool(options => options.SessionReset = reset);
        int session;
        using (var scope = NewScope())
        {
            var lease = await pool.RentAsync(Stop);
            session = lease.BackendProcessId;
            lease.Connection.EnlistTransaction(Transaction.Current);
            await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
            await ReturnAsync(lease, async);

            Assert.Equal((1, 0), (pool.GetStatistics().Resetting, pool.GetStatistics().Idle));
            await using var other = await pool.RentAsync(Stop);
            Assert.NotEqual(session, other.BackendProcessId);
            if (completes)
                scope.Complete();
        }
        await SettledAsync(pool);

        Assert.Equal(completes ? 1 : 0, await RowsAsync(pool));
        await SettledAsync(pool);
        Assert.Equal((1, 1L, 0L), (pool.GetStatistics().Idle, pool.GetStatistics().ClosedByReason[CloseReason.Enlisted], pool.GetStatistics().DirtyReturns));
        Assert.Empty(Log.Warnings);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_RightBeforeItsScopeEnds_IsKnownToBeEnlisted(bool completes)
    {
        const int Scopes = 40;
        var pool = NewPool();
        for (var i = 0; i < Scopes; i++)
        {
            using var scope = NewScope();
            await using (var lease = await pool.RentAsync(Stop))
            {
                lease.Connection.EnlistTransaction(Transaction.Current);
                await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
            }
            if (completes)
                scope.Complete();
        }
        await SettledAsync(pool);

        Assert.Equal(completes ? Scopes : 0, await RowsAsync(pool));
        await SettledAsync(pool);
        var closed = pool.GetStatistics().ClosedByReason.Where(static reason => reason.Value > 0);
        Assert.Equal([new(CloseReason.Enlisted, Scopes)], closed);
        Assert.Equal(0, pool.GetStatistics().DirtyReturns);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_EnlistedWithoutAScope_IsKeptBackUntilItsTransactionEnds(bool async)
    {
        var pool = NewPool();
        using var transaction = new CommittableTransaction();
        var lease = await pool.RentAsync(Stop);
        lease.Connection.EnlistTransaction(transaction);
        await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
        await ReturnAsync(lease, async);
        Assert.Equal((1, 0), (pool.GetStatistics().Resetting, await RowsAsync(pool)));

        transaction.Commit();
        await SettledAsync(pool);

        Assert.Equal((1, 1L), (await RowsAsync(pool), pool.GetStatistics().ClosedByReason[CloseReason.Enlisted]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_ItsScopeIsCompletedAndNotLeft_IsCommittedWithoutAWarning(bool async)
    {
        var pool = NewPool();
        using (var scope = NewScope())
        {
            var lease = await pool.RentAsync(Stop);
            lease.Connection.EnlistTransaction(Transaction.Current);
            await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
            scope.Complete();
            await ReturnAsync(lease, async);
        }
        await SettledAsync(pool);

        Assert.Equal((1, 1L), (await RowsAsync(pool), pool.GetStatistics().ClosedByReason[CloseReason.Enlisted]));
        Assert.Empty(Log.Warnings);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_SeveralInOneScope_AreClosedAfterItsSecondPhase(bool discarded)
    {
        const int Scopes = 100;
        await using var server = await PostgresServer.StartAsync(
            new PostgresServerOptions { Settings = new Dictionary<string, string> { ["max_prepared_transactions"] = $"{2 * Scopes}" } }, Stop);
        var database = await server.CreateDatabaseAsync();
        await Unpooled.ExecuteAsync(database, "CREATE TABLE t (a int)");
        var pool = NewPool(options => options.ConnectionString = database);
        for (var i = 0; i < Scopes; i++)
        {
            using var scope = NewScope();
            for (var part = 0; part < 2; part++)
            {
                await using var lease = await pool.RentAsync(Stop);
                lease.Connection.EnlistTransaction(Transaction.Current);
                await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
                if (discarded)
                    lease.Discard();
            }
            scope.Complete();
        }
        await SettledAsync(pool);

        Assert.Equal(2 * Scopes, await RowsAsync(pool));
        await using var look = await pool.RentAsync(Stop);
        Assert.Equal(0L, await ScalarAsync<long>(look, "SELECT count(*) FROM pg_prepared_xacts"));
    }

    [Fact]
    public async Task Return_EnlistedAndDiscarded_IsClosedWhenItsTransactionHasEnded()
    {
        var pool = NewPool();
        using (var scope = NewScope())
        {
            await using (var lease = await pool.RentAsync(Stop))
            {
                lease.Connection.EnlistTransaction(Transaction.Current);
                await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
                lease.Discard();
            }
            Assert.Equal(1, pool.GetStatistics().Resetting);
            scope.Complete();
        }
        await SettledAsync(pool);

        Assert.Equal((1, 1L), (await RowsAsync(pool), pool.GetStatistics().ClosedByReason[CloseReason.Discarded]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rent_ThePoolsOnlySessionIsKeptBack_GetsAnotherWhenTheTransactionEnds(bool async)
    {
        var pool = NewPool(options => options.MaxSize = 1);
        using var transaction = new CommittableTransaction();
        var lease = await pool.RentAsync(Stop);
        var session = lease.BackendProcessId;
        lease.Connection.EnlistTransaction(transaction);
        await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
        await ReturnAsync(lease, async);
        var rent = RentAsync(pool, async);
        await Eventually.BecomesAsync(() => pool.GetStatistics().Waiting == 1, "the rent waits");

        transaction.Rollback();

        await using var next = await rent;
        Assert.NotEqual(session, next.BackendProcessId);
        Assert.Equal(0L, await ScalarAsync<long>(next, "SELECT count(*) FROM t"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CloseAsync_SessionIsKeptBack_IsSeveredAfterTheDrainTimeout(bool returned)
    {
        var pool = NewPool();
        using var transaction = new CommittableTransaction();
        var lease = await pool.RentAsync(Stop);
        lease.Connection.EnlistTransaction(transaction);
        await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
        if (returned)
            await lease.DisposeAsync();

        await pool.CloseAsync(TimeSpan.Zero, Stop).WaitAsync(Eventually.Deadline, Stop);

        Assert.Equal(0, pool.GetStatistics().Total);
        await Eventually.BecomesAsync(async () => await BackendsAsync() == 0, "the session is gone");
        Assert.ThrowsAny<TransactionException>(transaction.Commit);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DisposeAsync_InsideTheScopeOfASessionKeptBack_DoesNotWaitForIt(bool discarded)
    {
        var pool = NewPool();
        using (var scope = NewScope())
        {
            await using (var lease = await pool.RentAsync(Stop))
            {
                lease.Connection.EnlistTransaction(Transaction.Current);
                await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
                if (discarded)
                    lease.Discard();
            }

            // Without a deadline of its own: a scope aborts after a minute, and it would end then.
            await pool.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), Stop);
            Assert.Equal(1, pool.GetStatistics().Total);
            scope.Complete();
        }

        await Eventually.BecomesAsync(() => pool.GetStatistics().Total == 0, "the session is closed when the transaction has ended");
    }

    private ConnectionPool NewPool(Action<ConnectionPoolOptions>? configure = null) => Pool(options =>
    {
        options.ConnectionString = _database;
        configure?.Invoke(options);
    });

    private static TransactionScope NewScope() => new(TransactionScopeAsyncFlowOption.Enabled);

    private static async Task<int> RowsAsync(ConnectionPool pool)
    {
        await using var lease = await pool.RentAsync(Stop);
        return (int)await ScalarAsync<long>(lease, "SELECT count(*) FROM t");
    }
}
