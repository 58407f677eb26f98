using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>A run goes on whatever partitions its source got, lost or renamed meanwhile.</summary>
public sealed class ResumePartitionsTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private static readonly TableCopy T = new("t");

    // p1 is the largest, and done; p2 and p3 are not, as the target refuses a row of p2.
    [Theory]
    [InlineData("ALTER TABLE p2 RENAME TO other", 3300)]
    [InlineData("ALTER TABLE p2 RENAME TO x; ALTER TABLE p3 RENAME TO p2; ALTER TABLE x RENAME TO p3", 3300)]
    [InlineData("ALTER TABLE p1 RENAME TO x; ALTER TABLE p3 RENAME TO p1; ALTER TABLE x RENAME TO p3", 3300)]
    [InlineData("CREATE SCHEMA s; ALTER TABLE p2 SET SCHEMA s", 3300)]
    [InlineData("CREATE TABLE p4 PARTITION OF t FOR VALUES FROM (4000) TO (5000); INSERT INTO t SELECT generate_series(4001, 4100)", 3400)]
    [InlineData("ALTER TABLE t DETACH PARTITION p2", 2300)]
    [InlineData("DROP TABLE p2", 2300)]
    [InlineData("DROP TABLE p1", 3300)]
    [InlineData("ALTER TABLE t DETACH PARTITION p1; CREATE TABLE p4 PARTITION OF t FOR VALUES FROM (4000) TO (5000)", 3300)]
    [InlineData("""
        ALTER TABLE t DETACH PARTITION p2; CREATE TABLE p2a PARTITION OF t FOR VALUES FROM (2000) TO (2050);
        CREATE TABLE p2b PARTITION OF t FOR VALUES FROM (2050) TO (3000); INSERT INTO t SELECT * FROM p2; DROP TABLE p2
        """, 3300)]
    [InlineData("ALTER TABLE t DETACH PARTITION p2; ALTER TABLE p2 RENAME TO old; CREATE TABLE p2 PARTITION OF t FOR VALUES FROM (2000) TO (3000); INSERT INTO p2 VALUES (2001)", 2301)]
    [InlineData("DROP TABLE p3; CREATE TABLE p3 PARTITION OF t DEFAULT", 2500)]
    public async Task CopyAsync_PartitionsChanged_GoesOn(string change, int rows)
    {
        Assert.SkipWhen(
            change.Contains("DEFAULT", StringComparison.Ordinal) && await FromSourceAsync<int>("SELECT current_setting('server_version_num')::int") < 110000,
            "Default partitions came with PostgreSQL 11.");
        await StopAfterTheFirstAsync();
        await OnSourceAsync(change);
        await OnTargetAsync("ALTER TABLE t DROP CONSTRAINT refuse");

        await Run(new() { Degree = 1 }).CopyAsync([T], cancellationToken: Stop);

        Assert.Equal((rows, rows), (await FromTargetAsync<long>("SELECT count(*) FROM t"), await FromTargetAsync<long>("SELECT count(DISTINCT id) FROM t")));
        var again = await Run().CopyAsync([T], cancellationToken: Stop);
        Assert.Equal(0, again.Rows);
    }

    [Theory]
    [InlineData("""
        ALTER TABLE t DETACH PARTITION p1; CREATE TABLE p1a PARTITION OF t FOR VALUES FROM (0) TO (2000);
        INSERT INTO t SELECT * FROM p1; DROP TABLE p1
        """, "\"p1a\" is new")]
    [InlineData("""
        ALTER TABLE t DETACH PARTITION p1; ALTER TABLE p1 RENAME TO old; CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (0) TO (2000);
        INSERT INTO t SELECT * FROM old; DROP TABLE old
        """, "\"p1\" is new")]
    public async Task CopyAsync_RowsThatAreDoneMayBeInANewPartition_SaysSo(string change, string told)
    {
        await StopAfterTheFirstAsync();
        await OnSourceAsync(change);
        await OnTargetAsync("ALTER TABLE t DROP CONSTRAINT refuse");
        var rows = await FromTargetAsync<long>("SELECT count(*) FROM t");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CopyAsync([T], cancellationToken: Stop));

        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
        Assert.Equal(rows, await FromTargetAsync<long>("SELECT count(*) FROM t"));

        // As it advises.
        await OnSourceAsync($"ALTER TABLE t DETACH PARTITION {told.Split('"')[1]}");
        await Run(new() { Degree = 1 }).CopyAsync([T], cancellationToken: Stop);
        Assert.Equal((3300, 3300), (await FromTargetAsync<long>("SELECT count(*) FROM t"), await FromTargetAsync<long>("SELECT count(DISTINCT id) FROM t")));
    }

    [Theory]
    [InlineData("CREATE TABLE later PARTITION OF t FOR VALUES FROM (8000) TO (9000)")]
    [InlineData("ALTER TABLE t DETACH PARTITION p2")]
    [InlineData("ALTER TABLE p2 RENAME TO x")]
    public async Task CopyAsync_FinishedAndPartitionsChanged_IsFinished(string change)
    {
        await CreateSourceAsync();
        await OnTargetAsync("CREATE TABLE t (id int)");
        await Run().CopyAsync([T], cancellationToken: Stop);
        await OnSourceAsync(change);

        var report = await Run().CopyAsync([T], cancellationToken: Stop);

        Assert.Equal((0, 3, 3300), (report.Rows, report.PartitionsSkipped, await FromTargetAsync<long>("SELECT count(*) FROM t")));
    }

    [Fact]
    public async Task CopyAsync_PlannedByAnEarlierVersion_GoesOnByNames()
    {
        await StopAfterTheFirstAsync();
        await OnTargetAsync("ALTER TABLE t DROP CONSTRAINT refuse; UPDATE pgpool_migration.tables SET definition = (definition)[1:22]");

        await Run(new() { Degree = 1 }).CopyAsync([T], cancellationToken: Stop);

        Assert.Equal(3300, await FromTargetAsync<long>("SELECT count(DISTINCT id) FROM t"));
    }

    private async Task StopAfterTheFirstAsync()
    {
        await CreateSourceAsync();
        await OnTargetAsync("CREATE TABLE t (id int, CONSTRAINT refuse CHECK (id <> 2100))");
        await Assert.ThrowsAsync<MigrationException>(() => Run(new() { Degree = 1 }).CopyAsync([T], cancellationToken: Stop));
        Assert.Equal(1500, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    private Task CreateSourceAsync() => OnSourceAsync("""
        CREATE TABLE t (id int) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (0) TO (2000);
        CREATE TABLE p2 PARTITION OF t FOR VALUES FROM (2000) TO (3000);
        CREATE TABLE p3 PARTITION OF t FOR VALUES FROM (3000) TO (4000);
        INSERT INTO t SELECT generate_series(1, 1500);
        INSERT INTO t SELECT generate_series(2000, 2999);
        INSERT INTO t SELECT generate_series(3000, 3799)
        """);
}
