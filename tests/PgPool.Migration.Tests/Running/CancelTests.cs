using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>Wherever a run is when it is cancelled, it ends, and nobody is left behind.</summary>
public sealed class CancelTests(ServerFixture fixture) : MigrationTest(fixture)
{
    // Far longer than a cancellation may take, which is two seconds, and far shorter than what it interrupts.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    // pg_locks has those of the whole server, on which other tests are at work.
    private const string InThisDatabase = "database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    private const string WaitsForTable = $"SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation' AND {InThisDatabase})";

    [Fact]
    public Task CopyAsync_Throttled_Ends() =>
        CancelAsync(new MigrationOptions { MaxBytesPerSecond = 100 }, new("t"), () => MovesAsync());

    [Fact]
    public Task CopyAsync_Paused_Ends() =>
        CancelAsync(new MigrationOptions { PauseWhile = "SELECT true" }, new("t"), () => PlannedAsync());

    [Fact]
    public Task CopyAsync_SourceIsSlow_Ends() =>
        CancelAsync(new MigrationOptions(), new("t") { Where = "pg_sleep(600) IS NOT NULL" }, () => RunsAsync(SourceConnection, "%pg_sleep%COPY%"));

    [Fact]
    public async Task CopyAsync_TargetIsSlow_Ends()
    {
        await OnTargetAsync("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END'");
        await CancelAsync(new MigrationOptions(), new("t"), () => RunsAsync(TargetConnection, "COPY %"),
            "CREATE TRIGGER wait AFTER INSERT ON t FOR EACH STATEMENT EXECUTE PROCEDURE wait()");
    }

    [Fact]
    public async Task CopyAsync_CommitIsSlow_Ends()
    {
        await OnTargetAsync("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END'");
        await CancelAsync(new MigrationOptions(), new("t"), () => RunsAsync(TargetConnection, "COMMIT"),
            "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE PROCEDURE wait()");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CopyAsync_TableIsLocked_Ends(bool onSource)
    {
        await CreateTableAsync();
        await using var blocker = await Unpooled.OpenAsync(onSource ? SourceConnection : TargetConnection);
        await using var transaction = await blocker.BeginTransactionAsync(Stop);
        await using (var command = new NpgsqlCommand("LOCK TABLE t IN ACCESS EXCLUSIVE MODE", blocker))
            await command.ExecuteNonQueryAsync(Stop);

        await CancelAsync(Run(), new("t"), () => Eventually.BecomesAsync(
            () => onSource ? FromSourceAsync<bool>(WaitsForTable) : FromTargetAsync<bool>(WaitsForTable), "it waits for the table"));
    }

    [Fact]
    public async Task CopyAsync_NoLeaseIsFree_Ends()
    {
        await CreateTableAsync();
        await using var all = await Target.RentManyAsync(Target.MaxSize, cancellationToken: Stop);

        using var cancellation = new CancellationTokenSource();
        var copying = Run().CopyAsync([new TableCopy("t")], cancellationToken: cancellation.Token);
        await Eventually.BecomesAsync(() => Target.GetStatistics().Waiting > 0, "it waits");
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => copying.WaitAsync(Limit, Stop));
        await Eventually.BecomesAsync(() => Source.GetStatistics().Leased == 0, "no lease is out");
    }

    [Fact]
    public async Task CopyAsync_CancelledBefore_BeginsNothing()
    {
        await CreateTableAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Run().CopyAsync([new TableCopy("t")], cancellationToken: new CancellationToken(true)));

        Assert.False(await FromTargetAsync<bool>("SELECT to_regnamespace('pgpool_migration') IS NOT NULL"));
        Assert.Equal(0, Source.GetStatistics().Rented);
    }

    private async Task CreateTableAsync(string afterwards = "SELECT 1")
    {
        await CreateAsync("CREATE TABLE t (id int PRIMARY KEY, a text)");
        await OnSourceAsync("INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i");
        await OnTargetAsync(afterwards);
    }

    private async Task CancelAsync(MigrationOptions options, TableCopy table, Func<Task> reachedAsync, string onTarget = "SELECT 1")
    {
        await CreateTableAsync(onTarget);
        await CancelAsync(Run(options), table, reachedAsync);
    }

    private async Task CancelAsync(MigrationRun run, TableCopy table, Func<Task> reachedAsync)
    {
        using var cancellation = new CancellationTokenSource();
        var copying = run.CopyAsync([table], cancellationToken: cancellation.Token);
        await reachedAsync();
        await cancellation.CancelAsync();

        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => copying.WaitAsync(Limit, Stop));
        Assert.Equal(cancellation.Token, cancelled.CancellationToken);
        Assert.Equal((0, 0), (Source.GetStatistics().Leased, Target.GetStatistics().Leased));
        await Eventually.BecomesAsync(
            async () => await Server.ScalarAsync<int>(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND (query LIKE '%sleep%' OR query ~ 'COPY|COMMIT|pgpool_migration') AND state <> 'idle'",
                ApplicationName) == 0,
            "no backend is at work", Limit);
        // Leases are reset in the background.
        await Eventually.BecomesAsync(
            async () => await FromTargetAsync<long>($"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND {InThisDatabase}") == 0, "no claim is left", Limit);
    }

    private Task PlannedAsync() => Eventually.BecomesAsync(
        () => FromTargetAsync<bool>("SELECT to_regclass('pgpool_migration.partitions') IS NOT NULL"), "the plan is made");

    private Task MovesAsync() => RunsAsync(TargetConnection, "COPY %");

    private Task RunsAsync(string connectionString, string like) => Eventually.BecomesAsync(
        () => Server.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name = $2 AND state = 'active' AND (query LIKE $3 OR query LIKE 'COPY%' AND $3 LIKE '%COPY%'))",
            new NpgsqlConnectionStringBuilder(connectionString).Database!, ApplicationName, like),
        "it is there");
}
