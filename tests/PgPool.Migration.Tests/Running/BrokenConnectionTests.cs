using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>Connections that break under a run.</summary>
public sealed class BrokenConnectionTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string Ddl = "CREATE TABLE t (id int PRIMARY KEY, a text)";
    private const string Fill = "INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i; ANALYZE t";

    // What fires at COMMIT, and waits there until the test says so.
    private const string WaitAtCommit = """
        CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 1) EXECUTE PROCEDURE wait()
        """;

    private static readonly MigrationOptions Small = new() { PartitionBytes = 32 * 1024, MaxAttempts = 50 };

    [Fact]
    public async Task CopyAsync_AnswerToCommitIsLost_CopiesNothingTwice()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await OnTargetAsync(WaitAtCommit);
        await using var proxy = FaultProxy.InFrontOf(TargetConnection);
        await using var target = Pool(proxy.ConnectionStringFor(TargetConnection), 2);
        await using var gate = await CloseGateAsync();

        var copying = new MigrationRun(RunId, Source, target, Small with { LoggerFactory = Log }).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        await WaitsAtCommitAsync();
        proxy.Mode = FaultMode.Deaf;
        await gate.CloseAsync();
        await Eventually.BecomesAsync(async () => await FromTargetAsync<bool>("SELECT EXISTS (SELECT FROM t WHERE id = 1)"), "it is committed");
        proxy.CutAll();
        proxy.Mode = FaultMode.Pass;
        var report = await copying;

        Assert.Equal(5000, report.Rows);
        await AssertSameTableAsync("t");
    }

    [Fact]
    public async Task CopyAsync_CommitDidNotTakePlace_CopiesAgain()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await OnTargetAsync(WaitAtCommit);
        await using var gate = await CloseGateAsync();

        var copying = Run(Small).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        var backend = await WaitsAtCommitAsync();
        await Server.TerminateAsync(backend);
        await gate.CloseAsync();
        var report = await copying;

        Assert.Equal(5000, report.Rows);
        Assert.True(report.Retries > 0);
        await AssertSameTableAsync("t");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CopyAsync_BackendsTerminatedOneByOne_ArrivesExactly(bool onSource)
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        var database = new NpgsqlConnectionStringBuilder(onSource ? SourceConnection : TargetConnection).Database!;
        var terminated = 0;

        var copying = Run(Small with { MaxBytesPerSecond = 250_000 }).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        await Eventually.BecomesAsync(async () => copying.IsCompleted || await DoneAsync() > 0, "the workers work");
        while (!copying.IsCompleted && terminated < 6)
        {
            // One at a time, a worker's: the next goes when that one was replaced.
            terminated += await Server.TerminateAsync("""
                SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = $2 AND xact_start IS NOT NULL
                ORDER BY query_start DESC LIMIT 1
                """, database, ApplicationName);
            await Eventually.BecomesAsync(
                async () => copying.IsCompleted || await Server.ScalarAsync<int>(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name = $2 AND xact_start IS NOT NULL",
                    database, ApplicationName) >= (onSource ? 3 : 2),
                "it was replaced");
        }

        var report = await copying;
        Assert.True(terminated > 2, $"{terminated} terminated");
        Assert.Equal((5000, Consistency.Snapshot), (report.Rows, report.Consistency));
        await AssertSameTableAsync("t");
    }

    [Fact]
    public async Task CopyAsync_EverySourceBackendTerminated_IsLostAndCanBeResumed()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        var copying = Run(Small with { MaxBytesPerSecond = 150_000 }).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        await Eventually.BecomesAsync(async () => await DoneAsync() > 0, "a partition is done");

        await Server.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            new NpgsqlConnectionStringBuilder(SourceConnection).Database!);

        await Assert.ThrowsAsync<SnapshotLostException>(() => copying);
        var report = await Run(Small).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        Assert.Equal(Consistency.PerPartition, report.Consistency);
        await AssertSameTableAsync("t");
    }

    [Fact]
    public async Task CopyAsync_TargetRestarts_GoesOn()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { Local = true }, Stop);
        var there = await server.CreateDatabaseAsync();
        await using var target = Pool(there, 2);
        await OnSourceAsync($"{Ddl}; {Fill}");
        // What the test servers do without: here, what was said to be committed is to be there after a crash.
        await Unpooled.ExecuteAsync(there, $"{Ddl}; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$");

        var copying = new MigrationRun(RunId, Source, target, Small with { MaxBytesPerSecond = 300_000 }).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        await Eventually.BecomesAsync(async () => await CountAsync() > 0, "rows arrive");
        await server.RestartAsync(PostgresShutdown.Immediate, Stop);
        var report = await copying;

        Assert.Equal(5000, report.Rows);
        Assert.Equal(5000, await CountAsync());

        async Task<long> CountAsync()
        {
            await using var connection = await Unpooled.OpenAsync(there);
            await using var command = new NpgsqlCommand("SELECT count(*) FROM t", connection);
            return (long)(await command.ExecuteScalarAsync(Stop))!;
        }
    }

    [Fact]
    public async Task CopyAsync_EveryWorkersClaimFailsAtOnce_CountsOnceForEach()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        var copying = Run(Small with { MaxAttempts = 2, MaxBytesPerSecond = 200_000 }).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        await Eventually.BecomesAsync(async () => await DoneAsync() > 0, "a partition is done");

        await using (await LockAsync("pgpool_migration.partitions"))
            await TerminateWaitingAsync(2);
        var report = await copying;

        Assert.Equal((5000, 2), (report.Rows, report.Retries));
        await AssertSameTableAsync("t");
    }

    [Fact]
    public async Task CopyAsync_ConnectionBreaksAfterTheLastCommit_IsReportedAllTheSame()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await OnTargetAsync(WaitAtCommit);
        await using var gate = await CloseGateAsync();

        var copying = Run(Small with { Degree = 1 }).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        await WaitsAtCommitAsync();
        await using (await LockAsync("pgpool_migration.snapshots"))
        {
            await gate.CloseAsync();
            await TerminateWaitingAsync(1);
        }

        var report = await copying;
        Assert.Equal((5000, 1), (report.Rows, report.Retries));
        await AssertSameTableAsync("t");
    }

    /// <summary>Until it is disposed, everybody else waits for the table.</summary>
    private async Task<NpgsqlConnection> LockAsync(string table)
    {
        var connection = await Unpooled.OpenAsync(TargetConnection);
        await using var command = new NpgsqlCommand($"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", connection);
        await command.ExecuteNonQueryAsync(Stop);
        return connection;
    }

    private async Task TerminateWaitingAsync(int count)
    {
        const string Waiting = "SELECT pid FROM pg_locks WHERE locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = $1) AND NOT granted";
        var database = new NpgsqlConnectionStringBuilder(TargetConnection).Database!;
        await Eventually.BecomesAsync(
            async () => await Server.ScalarAsync<long>($"SELECT count(*) FROM ({Waiting}) w", database) == count, "they wait for the table");
        await Server.TerminateAsync(Waiting, database);
    }

    private async Task<NpgsqlConnection> CloseGateAsync()
    {
        var gate = await Unpooled.OpenAsync(TargetConnection);
        await using var command = new NpgsqlCommand("SELECT pg_advisory_lock(42)", gate);
        await command.ExecuteNonQueryAsync(Stop);
        return gate;
    }

    private async Task<int> WaitsAtCommitAsync()
    {
        const string Waiting = "SELECT coalesce((SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted LIMIT 1), 0)";
        return await Eventually.BecomesAsync(() => FromTargetAsync<int>(Waiting), backend => backend != 0, _ => "a COMMIT waits");
    }

    private async Task<long> DoneAsync() =>
        await FromTargetAsync<bool>("SELECT to_regclass('pgpool_migration.partitions') IS NOT NULL")
            ? await FromTargetAsync<long>("SELECT count(*) FROM pgpool_migration.partitions WHERE done_at IS NOT NULL") : 0;
}
