using System.Transactions;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

[Trait("Category", "Server")]
public sealed class LendingTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Rent_OneAfterTheOther_UsesOneSession()
    {
        var pool = Pool();
        int first;
        await using (var lease = await pool.RentAsync(Stop))
            first = await ScalarAsync<int>(lease, "SELECT pg_backend_pid()");
        await SettledAsync(pool);
        using (var lease = pool.Rent(Stop))
        {
            Assert.Equal(first, await ScalarAsync<int>(lease, "SELECT pg_backend_pid()"));
            Assert.Equal(first, lease.BackendProcessId);
        }

        Assert.Equal(1, pool.GetStatistics().Opened);
        Assert.Equal(2, pool.GetStatistics().Rented);
    }

    [Fact]
    public async Task Ctor_MinSize_IsOpenedWithoutARent()
    {
        var pool = Pool(options => options.MinSize = 3);

        await pool.WarmUpAsync(Stop);

        Assert.Equal(3, pool.GetStatistics().Idle);
        Assert.Equal(3, await BackendsAsync());
    }

    [Fact]
    public async Task Rent_ManyWorkersOfBothKinds_StayWithinMaxSize()
    {
        var pool = Pool(options => options.MaxSize = 4);
        var most = 0;
        var count = $"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{ApplicationName}'";
        var token = Stop;
        async Task WorkAsync(int worker)
        {
            for (var i = 0; i < 20; i++)
            {
                var lease = await pool.RentAsync(token);
                InterlockedMax(ref most, (int)await ScalarAsync<long>(lease, count));
                await ReturnAsync(lease, async: worker % 3 != 0);
            }
        }

        void Work()
        {
            for (var i = 0; i < 20; i++)
            {
                using var lease = pool.Rent(token);
                using var command = lease.CreateCommand(count);
                InterlockedMax(ref most, (int)(long)command.ExecuteScalar()!);
            }
        }

        await Task.WhenAll(
        [
            .. Enumerable.Range(0, 12).Select(worker => Task.Run(() => WorkAsync(worker), token)),
            .. Enumerable.Range(0, 12).Select(_ => Blocking.RunAsync(Work)),
        ]);
        await SettledAsync(pool);

        Assert.InRange(most, 1, 4);
        var statistics = pool.GetStatistics();
        Assert.Equal(24 * 20, statistics.Rented);
        Assert.Equal((0, 0, 0), (statistics.Leased, statistics.Waiting, statistics.Resetting));
        Assert.Equal(statistics.Idle, await BackendsAsync());
    }

    [Fact]
    public async Task GetLeases_LeasesOut_AreNamedOldestFirst()
    {
        var pool = Pool();
        await using var first = await pool.RentAsync(new() { Label = "copy orders, part 3" }, Stop);
        await using var second = await pool.RentAsync(Stop);

        var leases = pool.GetLeases();

        Assert.Equal([first.Id, second.Id], leases.Select(lease => lease.Id));
        Assert.Equal("copy orders, part 3", leases[0].Label);
        Assert.Matches(@"^LendingTests\.cs:\d+$", leases[0].CallSite);
        Assert.Equal(first.BackendProcessId, leases[0].BackendProcessId);
        Assert.Null(leases[0].StackTrace);
        Assert.True(leases[0].HeldFor >= leases[1].HeldFor);
    }

    [Fact]
    public async Task GetLeases_StackTracesWanted_AreThere()
    {
        var pool = Pool(options => options.CaptureRentStackTraces = true);
        await using var lease = await pool.RentAsync(Stop);

        Assert.Contains(nameof(GetLeases_StackTracesWanted_AreThere), Assert.Single(pool.GetLeases()).StackTrace);
    }

    [Fact]
    public async Task TryRent_NothingIdle_IsFalseAndOpensForTheNext()
    {
        var pool = Pool();

        Assert.False(pool.TryRent(out var none));
        Assert.Null(none);
        await Eventually.BecomesAsync(() => pool.GetStatistics().Idle == 1, "the connection that TryRent asked for is there");

        Assert.True(pool.TryRent(out var lease));
        lease.Dispose();
    }

    [Fact]
    public async Task RentManyAsync_TwoCallersThatNeedAll_BothGetTheirs()
    {
        var pool = Pool();
        async Task<int> TakeAllAsync()
        {
            await using var group = await pool.RentManyAsync(4, cancellationToken: Stop);
            var sessions = group.Select(lease => lease.BackendProcessId).Distinct().Count();
            await Task.WhenAll(group.Select(lease => ScalarAsync<int>(lease, "SELECT 1")));
            return sessions;
        }

        var taken = await Task.WhenAll(TakeAllAsync(), TakeAllAsync(), TakeAllAsync());

        Assert.All(taken, sessions => Assert.Equal(4, sessions));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task RentManyAsync_CountThatThePoolCannotHave_IsRefused(int count)
    {
        var pool = Pool();

        var exception = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await pool.RentManyAsync(count, cancellationToken: Stop));

        Assert.Equal("count", exception.ParamName);
    }

    [Fact]
    public async Task Rent_InATransactionScope_OpensOutsideIt()
    {
        var pool = Pool();
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await using var lease = await pool.RentAsync(Stop);

        // In a transaction a second BEGIN would be a warning, and this an error.
        await ExecuteAsync(lease, "VACUUM pg_catalog.pg_database");
    }

    [Fact]
    public async Task Lease_EnlistedByItsRenter_TakesPartInTheScope()
    {
        var database = await Server.CreateDatabaseAsync();
        var pool = Pool(options => options.ConnectionString = database);
        await using var lease = await pool.RentAsync(Stop);
        await ExecuteAsync(lease, "CREATE TABLE t (a int)");
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            lease.Connection.EnlistTransaction(Transaction.Current);
            await ExecuteAsync(lease, "INSERT INTO t VALUES (1)");
        }

        Assert.Equal(0L, await ScalarAsync<long>(lease, "SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task Lease_Returned_IsDead()
    {
        var pool = Pool();
        var lease = await pool.RentAsync(Stop);
        await lease.DisposeAsync();
        await lease.DisposeAsync();
        lease.Dispose();

        Assert.Throws<ObjectDisposedException>(() => lease.Connection);
        Assert.Throws<ObjectDisposedException>(() => lease.CreateCommand("SELECT 1"));
        Assert.Throws<ObjectDisposedException>(() => lease.Discard());
        Assert.Equal(0, pool.GetStatistics().Leased);
    }

    [Fact]
    public async Task Discard_Lease_ClosesItsSession()
    {
        var pool = Pool();
        var lease = await pool.RentAsync(Stop);
        var session = lease.BackendProcessId;
        lease.Discard("test");
        await lease.DisposeAsync();
        await SettledAsync(pool);

        Assert.Equal(1, pool.GetStatistics().ClosedByReason[CloseReason.Discarded]);
        await Eventually.BecomesAsync(async () => await BackendsAsync() == 0, "the discarded session is gone");
        await using var next = await pool.RentAsync(Stop);
        Assert.NotEqual(session, next.BackendProcessId);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
            Interlocked.CompareExchange(ref most, value, seen);
    }
}
