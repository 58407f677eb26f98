using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>Leases that come back with something under way, or with another session than was lent.</summary>
[Trait("Category", "Server")]
public sealed class MisuseTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string ManyRows = "SELECT repeat('x', 1000) FROM generate_series(1, 10000000)";

    private const string HeedsNoCancel =
        "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$";

    public static TheoryData<string, bool> Busy => new(
        from what in new[] { "command", "deaf command", "reader", "copy out", "copy in" }
        from async in new[] { true, false }
        select (what, async));

    [Theory]
    [MemberData(nameof(Busy))]
    public async Task Return_Busy_IsSeveredAndItsBackendGone(string what, bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        var lease = await pool.RentAsync(new() { Label = what }, Stop);
        var session = lease.BackendProcessId;
        var running = await StartAsync(lease, what);
        await ReturnAsync(lease, async);

        // The one place of the pool comes back, with another session in it.
        await using var next = await pool.RentAsync(Stop);

        Assert.NotEqual(session, next.BackendProcessId);
        await BackendGoneAsync(session);
        Assert.Equal((1L, 1L), (pool.GetStatistics().DirtyReturns, pool.GetStatistics().ClosedByReason[CloseReason.Broken]));
        Assert.Contains($"'{what}'", Assert.Single(Log.Warnings));
        await Assert.ThrowsAnyAsync<Exception>(() => running);
    }

    [Fact]
    public async Task Return_ClosedByItsRenter_IsReplaced()
    {
        await ReplacedAsync(connection => connection.CloseAsync());
    }

    [Fact]
    public async Task Return_ReopenedByItsRenter_IsReplaced()
    {
        await ReplacedAsync(async connection =>
        {
            await connection.CloseAsync();
            await connection.OpenAsync(Stop);
        });
    }

    [Fact]
    public async Task Return_MovedToAnotherDatabase_IsReplaced()
    {
        await ReplacedAsync(connection => connection.ChangeDatabaseAsync("template1", Stop));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_BackendKilled_IsReplacedAndTheOthersAreChecked(bool async)
    {
        // So fresh that they are lent unseen, however long the machine takes to kill them.
        var pool = Pool(options => (options.MaxSize, options.ValidateAfterIdle) = (2, TimeSpan.FromHours(1)));
        await (await pool.RentManyAsync(2, cancellationToken: Stop)).DisposeAsync();
        await Server.TerminateBackendsAsync(ApplicationName);

        // The first dead one is found by its renter; the other one by the pool, which no longer trusts it.
        var lease = await pool.RentAsync(Stop);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ScalarAsync<int>(lease, "SELECT 1"));
        await ReturnAsync(lease, async);
        await SettledAsync(pool);

        await using var next = await pool.RentAsync(Stop);
        Assert.Equal(1, await ScalarAsync<int>(next, "SELECT 1"));
        Assert.Equal(1, pool.GetStatistics().ClosedByReason[CloseReason.ValidationFailed]);
    }

    [Fact]
    public async Task NestedRents_ThrowIfFull_RefusesWhatCouldDeadlock()
    {
        var pool = Pool(options =>
        {
            options.MaxSize = 1;
            options.NestedRents = NestedRentPolicy.ThrowIfFull;
        });
        await using (await pool.RentAsync(Stop))
        {
            var exception = await Assert.ThrowsAsync<InvalidOperationException>(async () => await pool.RentAsync(Stop));
            Assert.Contains("RentManyAsync", exception.Message);
            await Assert.ThrowsAsync<InvalidOperationException>(() => Task.Run(async () => await pool.RentAsync(Stop), Stop));
        }

        // The flow holds none any more.
        await using var next = await pool.RentAsync(Stop);
    }

    [Fact]
    public async Task NestedRents_ForEachAsync_OnlyRentsOfItsBodyAreNested()
    {
        var pool = Pool(options =>
        {
            options.MaxSize = 2;
            options.NestedRents = NestedRentPolicy.ThrowIfFull;
        });
        var refused = 0;

        await pool.ForEachAsync(Enumerable.Range(0, 2), 4, async (_, _, token) =>
        {
            // Both workers are here, so that the pool is full.
            await Eventually.BecomesAsync(() => pool.GetStatistics().Leased == 2, "both workers have joined");
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await pool.RentAsync(token));
            Interlocked.Increment(ref refused);
            await Eventually.BecomesAsync(() => refused == 2, "both were refused");
        }, Stop);

        Assert.Equal(2, refused);
    }

    [Fact]
    public async Task NestedRents_Warn_WarnsOnceForEach()
    {
        var pool = Pool(options => options.NestedRents = NestedRentPolicy.Warn);
        await using var outer = await pool.RentAsync(Stop);
        await using var inner = await pool.RentAsync(Stop);

        Assert.Contains("MisuseTests.cs:", Assert.Single(Log.Warnings));
    }

    private async Task ReplacedAsync(Func<NpgsqlConnection, Task> misuse)
    {
        var pool = Pool(options => options.MaxSize = 1);
        var lease = await pool.RentAsync(new() { Label = "misuser" }, Stop);
        var session = lease.BackendProcessId;
        await misuse(lease.Connection);
        await lease.DisposeAsync();
        await SettledAsync(pool);

        await using var next = await pool.RentAsync(Stop);
        Assert.NotEqual(session, next.BackendProcessId);
        Assert.Equal(1, pool.GetStatistics().ClosedByReason[CloseReason.SessionReplaced]);
        Assert.Contains("'misuser'", Assert.Single(Log.Warnings));
        await Eventually.BecomesAsync(async () => await BackendsAsync() == 1, "only the pool's own session is left");
    }

    /// <summary>Sets something under way, and returns what fails when it is ended.</summary>
    private async Task<Task> StartAsync(ConnectionLease lease, string what)
    {
        var connection = lease.Connection;
        switch (what)
        {
            case "command":
            case "deaf command":
                var running = ExecuteAsync(lease, what == "command" ? "SELECT pg_sleep(600)" : HeedsNoCancel);
                await Eventually.BecomesAsync(
                    () => Server.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep')", lease.BackendProcessId),
                    "the command runs");
                return running;
            case "reader":
                var reader = await lease.CreateCommand(ManyRows).ExecuteReaderAsync(Stop);
                await reader.ReadAsync(Stop);
                return Later(async () =>
                {
                    while (await reader.ReadAsync(Stop))
                    {
                    }
                    Assert.Fail("The reader came to its end.");
                });
            case "copy out":
                var export = await connection.BeginRawBinaryCopyAsync($"COPY ({ManyRows}) TO STDOUT (FORMAT BINARY)", Stop);
                return Later(async () => await export.ReadExactlyAsync(new byte[100_000_000], Stop));
            default:
                await ExecuteAsync(lease, "CREATE TEMP TABLE target (a int)");
                var import = await connection.BeginBinaryImportAsync("COPY target FROM STDIN (FORMAT BINARY)", Stop);
                await import.WriteRowAsync(Stop, 1);
                return Later(async () => await import.CompleteAsync(Stop));
        }

        // Touched only after the return, as misuse would.
        Task Later(Func<Task> use) => Task.Run(async () =>
        {
            await BackendGoneAsync(lease.BackendProcessId);
            await use();
        });
    }
}
