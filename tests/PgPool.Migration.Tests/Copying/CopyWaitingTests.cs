using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

/// <summary>Copies that wait: for the source's first row, for a lock.</summary>
public sealed class CopyWaitingTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string Ddl = "CREATE TABLE t (id int PRIMARY KEY, v text)";

    [Theory]
    [InlineData("int")]
    [InlineData("regtype")] // by text
    public async Task CopyAsync_FirstRowTakesLongerThanTheCommandTimeout_Arrives(string companion)
    {
        await CreateAsync($"CREATE TABLE t (id int, c {companion})");
        await OnSourceAsync("INSERT INTO t VALUES (1), (2)");
        Source = Pool(WithTimeout(SourceConnection), 3);
        Target = Pool(WithTimeout(TargetConnection), 2);

        var report = await Run().CopyAsync([new TableCopy("t") { Where = "pg_sleep(1.5) IS NOT NULL" }], cancellationToken: Stop);

        Assert.Equal((2, 0), (report.Rows, report.Retries));
        await AssertSameTableAsync("t");
    }

    [Fact]
    public async Task CopyAsync_TargetsAnswerTakesLongerThanTheCommandTimeout_Arrives()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync("INSERT INTO t VALUES (1)");
        await OnTargetAsync("""
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END';
            CREATE TRIGGER slow AFTER INSERT ON t FOR EACH STATEMENT EXECUTE PROCEDURE slow()
            """);
        Target = Pool(WithTimeout(TargetConnection), 2);

        var report = await Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        Assert.Equal((1, 0), (report.Rows, report.Retries));
    }

    [Fact]
    public async Task CopyAsync_LockOfItsConditionTakesLongerThanTheCommandTimeout_Arrives()
    {
        await CreateAsync($"{Ddl}; CREATE TABLE slow (id int)");
        await OnSourceAsync("""
            INSERT INTO t VALUES (1); INSERT INTO slow SELECT generate_series(1, 1000);
            CREATE TABLE wanted (id int); INSERT INTO wanted VALUES (1)
            """);
        Source = Pool(WithTimeout(SourceConnection), 3);
        await using var rival = await Unpooled.OpenAsync(SourceConnection.Replace(ApplicationName, "rival", StringComparison.Ordinal));

        // The larger table goes first: the lock is taken when the run has seen to its conditions.
        var copy = Run(new() { Degree = 1 }).CopyAsync(
            [new TableCopy("slow") { Where = "pg_sleep(0.001) IS NOT NULL" }, new TableCopy("t") { Where = "id IN (SELECT id FROM wanted)" }],
            cancellationToken: Stop);
        await BecomesAsync("wait_event = 'PgSleep'");
        await using var locked = new NpgsqlCommand("BEGIN; LOCK TABLE wanted", rival);
        await locked.ExecuteNonQueryAsync(Stop);
        await BecomesAsync("wait_event_type = 'Lock'");
        await using var released = new NpgsqlCommand("SELECT pg_sleep(1.5); COMMIT", rival);
        await released.ExecuteNonQueryAsync(Stop);

        var report = await copy;
        Assert.Equal((1001, 0), (report.Rows, report.Retries));
    }

    [Fact]
    public async Task CopyAsync_CancelledBeforeTheFirstRow_NoBackendIsLeft()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync("INSERT INTO t VALUES (1)");

        await AssertCancelsAsync(new TableCopy("t") { Where = "pg_sleep(1000) IS NOT NULL" }, "wait_event = 'PgSleep'");
    }

    [Fact]
    public async Task CopyAsync_CancelledWhileTargetIsLocked_NoBackendIsLeft()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync("INSERT INTO t VALUES (1)");
        await using var rival = await Unpooled.OpenAsync(TargetConnection.Replace(ApplicationName, "rival", StringComparison.Ordinal));
        await using var locked = new NpgsqlCommand("BEGIN; LOCK TABLE t IN SHARE MODE", rival);
        await locked.ExecuteNonQueryAsync(Stop);

        await AssertCancelsAsync(new TableCopy("t"), "wait_event_type = 'Lock'");
    }

    [Fact]
    public async Task CopyAsync_CancelledWhileTargetWaitsForARow_NoBackendIsLeft()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync("INSERT INTO t VALUES (1)");
        await using var rival = await Unpooled.OpenAsync(TargetConnection.Replace(ApplicationName, "rival", StringComparison.Ordinal));
        await using var inserted = new NpgsqlCommand("BEGIN; INSERT INTO t VALUES (1)", rival);
        await inserted.ExecuteNonQueryAsync(Stop);

        await AssertCancelsAsync(new TableCopy("t"), "wait_event_type = 'Lock'");
    }

    [Fact]
    public async Task CopyAsync_CancelledWhileSourceWaitsForALockOfItsCondition_NoBackendIsLeft()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync("INSERT INTO t VALUES (1); CREATE TABLE wanted (id int)");
        await using var rival = await Unpooled.OpenAsync(SourceConnection.Replace(ApplicationName, "rival", StringComparison.Ordinal));
        await using var locked = new NpgsqlCommand("BEGIN; LOCK TABLE wanted", rival);
        await locked.ExecuteNonQueryAsync(Stop);

        await AssertCancelsAsync(new TableCopy("t") { Where = "id IN (SELECT id FROM wanted)" }, "wait_event_type = 'Lock'");
    }

    private static string WithTimeout(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 1 }.ConnectionString;

    private Task BecomesAsync(string waiting) => Eventually.BecomesAsync(
        () => Server.ScalarAsync<bool>($"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 AND {waiting})", ApplicationName), waiting);

    private async Task AssertCancelsAsync(TableCopy table, string waiting)
    {
        using var cancel = new CancellationTokenSource();
        var copy = Run().CopyAsync([table], cancellationToken: cancel.Token);
        await BecomesAsync(waiting);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => copy.WaitAsync(Eventually.Deadline, Stop));
        await Eventually.BecomesAsync(
            () => Server.ScalarAsync<bool>(
                "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 AND state <> 'idle')", ApplicationName),
            "no session is at work, waits or is in a transaction");
        Assert.Equal(0, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }
}
