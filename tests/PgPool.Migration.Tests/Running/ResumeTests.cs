using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>Going on where a run stopped.</summary>
[Trait("Category", "Server")]
public sealed class ResumeTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string Ddl = "CREATE TABLE t (id int PRIMARY KEY, a text)";
    private const string Fill = "INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i; ANALYZE t";

    // Rows from 4000 on are refused as long as the constraint is there.
    private const string Refusing = "ALTER TABLE t ADD CONSTRAINT early CHECK (id < 4000)";
    private const string Accepting = "ALTER TABLE t DROP CONSTRAINT early";

    private static readonly MigrationOptions Small = new() { PartitionBytes = 32 * 1024 };

    [Theory]
    [InlineData(false, Consistency.PerPartition)]
    [InlineData(true, Consistency.Snapshot)]
    public async Task CopyAsync_AfterABadRow_GoesOnWithWhatIsLeft(bool frozen, Consistency consistency)
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await OnTargetAsync(Refusing);
        var options = Small with { SourceIsFrozen = frozen, Degree = 1 };

        // The last to be tried, as the smallest is.
        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run(options).CopyAsync([new TableCopy("t")], cancellationToken: Stop));
        Assert.Contains("4", failure.Message, StringComparison.Ordinal);
        var done = await FromTargetAsync<long>("SELECT count(*) FROM pgpool_migration.partitions WHERE done_at IS NOT NULL");
        var rows = await FromTargetAsync<long>("SELECT count(*) FROM t");
        await OnTargetAsync(Accepting);

        var report = await Run(options).CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        await AssertSameTableAsync("t");
        Assert.Equal((done, 5000 - rows, consistency), (report.PartitionsSkipped, report.Rows, done == 0 ? consistency : report.Consistency));
    }

    [Fact]
    public async Task CopyAsync_StoppedByTheCaller_GoesOnWithWhatIsLeft()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await StopHalfwayAsync(new TableCopy("t") { Mode = TargetMode.Truncate });
        await OnTargetAsync("INSERT INTO t VALUES (-1, 'somebody else''s')");
        var before = await FromTargetAsync<long>("SELECT count(*) FROM t WHERE id > 0");
        Assert.InRange(before, 1, 4999);

        var report = await Run(Small).CopyAsync([new TableCopy("t") { Mode = TargetMode.Truncate }], cancellationToken: Stop);

        Assert.Equal((5000 - before, Consistency.PerPartition), (report.Rows, report.Consistency));
        Assert.True(report.PartitionsSkipped > 0);
        await OnTargetAsync("DELETE FROM t WHERE id = -1 AND a LIKE 'somebody%'");
        await AssertSameTableAsync("t");
    }

    [Fact]
    public async Task CopyAsync_BlocksUnderAnotherSnapshot_IsRefusedUnlessFrozen()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        var table = new TableCopy("t") { PartitionBy = PartitionBy.Blocks };
        await StopHalfwayAsync(table);
        var before = await FromTargetAsync<long>("SELECT count(*) FROM t");

        var refusal = await Assert.ThrowsAsync<MigrationException>(() => Run(Small).CopyAsync([table], cancellationToken: Stop));

        Assert.Contains("cut by blocks", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(MigrationOptions.SourceIsFrozen), refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before, await FromTargetAsync<long>("SELECT count(*) FROM t"));
        var report = await Run(Small with { SourceIsFrozen = true }).CopyAsync([table], cancellationToken: Stop);
        Assert.Equal(Consistency.Snapshot, report.Consistency);
        await AssertSameTableAsync("t");
    }

    [Fact]
    public async Task CopyAsync_RowsAddedBeforeTheResumption_ArriveWithTheirRange()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await StopHalfwayAsync(new TableCopy("t"));
        var left = await FromTargetAsync<string>("SELECT string_agg(number::text, ',') FROM pgpool_migration.partitions WHERE done_at IS NULL");
        await OnSourceAsync("INSERT INTO t SELECT i, 'late' FROM generate_series(5001, 5010) i");

        await Run(Small).CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        // The last range is open: it has the late rows if it was not done before.
        var last = await FromTargetAsync<int>("SELECT number FROM pgpool_migration.partitions WHERE upper IS NULL");
        Assert.Equal(left.Split(',').Contains(N(last)) ? 5010 : 5000, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task CopyAsync_TwoRunsOfOneId_ShareThePartitionsAndTheSnapshot()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        var slow = Small with { MaxBytesPerSecond = 200_000 };
        await using var otherSource = SourcePool();
        await using var otherTarget = TargetPool();

        var first = Run(slow).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        await BegunAsync();
        await OnSourceAsync("DELETE FROM t WHERE id % 2 = 0; INSERT INTO t VALUES (0, 'new')");
        var second = new MigrationRun(RunId, otherSource, otherTarget, slow).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        var reports = await Task.WhenAll(first, second);

        Assert.All(reports, report => Assert.True(report.Rows > 0));
        Assert.All(reports, report => Assert.Equal(Consistency.Snapshot, report.Consistency));
        Assert.Equal(5000, reports.Sum(report => report.Rows));
        Assert.Equal((5000, 12502500), (await FromTargetAsync<long>("SELECT count(*) FROM t"), await FromTargetAsync<long>("SELECT sum(id) FROM t")));
        Assert.Equal(0, await FromTargetAsync<long>("SELECT count(*) FROM pgpool_migration.snapshots"));
    }

    [Fact]
    public async Task CopyAsync_RunThatHeldTheSnapshotIsGone_TheOtherGoesOnInIt()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        var slow = Small with { MaxBytesPerSecond = 200_000 };
        await using var otherSource = SourcePool();
        await using var otherTarget = TargetPool();
        using var cancellation = new CancellationTokenSource();

        var first = Run(slow).CopyAsync([new TableCopy("t")], cancellationToken: cancellation.Token);
        await BegunAsync();
        var second = new MigrationRun(RunId, otherSource, otherTarget, slow).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        await Eventually.BecomesAsync(
            async () => await FromTargetAsync<long>("SELECT count(*) FROM pgpool_migration.snapshots") == 2, "the second has joined");
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        var report = await second;

        Assert.Equal(Consistency.Snapshot, report.Consistency);
        await AssertSameTableAsync("t");
    }

    [Fact]
    public async Task CopyAsync_KeptIdIsOfAnotherSnapshotByNow_IsNotTakenForIt()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await StopHalfwayAsync(new TableCopy("t"));

        // As after a restart of the server, which gives the same ids out again.
        await using var other = await Unpooled.OpenAsync(SourceConnection);
        await using var transaction = await other.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Stop);
        await using var export = new Npgsql.NpgsqlCommand("SELECT pg_export_snapshot()", other);
        var id = (string)(await export.ExecuteScalarAsync(Stop))!;
        await OnTargetAsync($"""
            INSERT INTO pgpool_migration.snapshots (run_id, process, epoch, ids, contents) VALUES ('{RunId}', md5('')::uuid, 1, ARRAY['{id}'], '1:2:')
            """);

        var report = await Run(Small).CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        Assert.Equal(Consistency.PerPartition, report.Consistency);
        await AssertSameTableAsync("t");
    }

    private async Task StopHalfwayAsync(TableCopy table)
    {
        using var cancellation = new CancellationTokenSource();
        var copying = Run(Small with { MaxBytesPerSecond = 150_000 }).CopyAsync([table], cancellationToken: cancellation.Token);
        await BegunAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => copying);
    }

    private Task BegunAsync() => Eventually.BecomesAsync(
        async () => await FromTargetAsync<bool>("SELECT to_regclass('pgpool_migration.partitions') IS NOT NULL")
            && await FromTargetAsync<bool>("SELECT EXISTS (SELECT FROM pgpool_migration.partitions WHERE done_at IS NOT NULL)"),
        "a partition is done");
}
