using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Verifying;

/// <summary>Tables whose targets share rows, and rows that were put aside.</summary>
public sealed class VerifySharedTests(ServerFixture fixture) : MigrationTest(fixture)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)] // a row of the parent's own, which goes to a partition
    public async Task VerifyAsync_ChildrenThatBecamePartitions_Match(bool hasOwn)
    {
        await OnSourceAsync($"""
            CREATE TABLE meas (id int, v text); CREATE TABLE m1 () INHERITS (meas); CREATE TABLE m2 (more int) INHERITS (meas); CREATE TABLE alone (id int);
            INSERT INTO m1 SELECT i, 'x' FROM generate_series(0, 99) i; INSERT INTO m2 SELECT i, 'y', i FROM generate_series(100, 199) i;
            {(hasOwn ? "INSERT INTO meas VALUES (50, 'own')" : "")}
            """);
        await OnTargetAsync("""
            CREATE TABLE meas (v text, id int, more int) PARTITION BY RANGE (id); CREATE TABLE m1 PARTITION OF meas FOR VALUES FROM (0) TO (100);
            CREATE TABLE m2 PARTITION OF meas FOR VALUES FROM (100) TO (200); CREATE TABLE alone (id int)
            """);
        TableCopy[] tables = [new("meas"), new("alone"), new("m1"), new("m2")];
        await Run().CopyAsync(tables, cancellationToken: Stop);

        await AssertMatchAsync(tables, true, true, true, true);

        await OnTargetAsync("UPDATE m1 SET v = 'z' WHERE id = 7");
        await AssertMatchAsync(tables, !hasOwn, true, false, true);
        await OnTargetAsync("UPDATE m1 SET v = 'x' WHERE id = 7; DELETE FROM m2 WHERE id = 150");
        await AssertMatchAsync(tables, !hasOwn, true, !hasOwn, false);
    }

    [Fact]
    public async Task VerifyAsync_TablesMergedIntoOne_MatchTogether()
    {
        await OnSourceAsync("CREATE TABLE a AS SELECT i FROM generate_series(1, 9) i; CREATE TABLE b AS SELECT -i AS i FROM generate_series(1, 9) i");
        await OnTargetAsync("CREATE TABLE t (i int)");
        TableCopy[] tables = [new("a") { Target = TableName.Parse("t") }, new("b") { Target = TableName.Parse("t") }];
        await Run().CopyAsync(tables, cancellationToken: Stop);

        await AssertMatchAsync(tables, true, true);
        await OnTargetAsync("DELETE FROM t WHERE i = 3");
        await AssertMatchAsync(tables, false, false);
    }

    [Theory]
    [InlineData("v varchar(3)", "v varchar(2)")]
    [InlineData("v int", "v smallint")] // the source itself cannot convert it
    [InlineData("v numeric", "v numeric(2,1)")]
    public async Task VerifyAsync_RowsPutAside_AreCountedAndNothingElseIsExcused(string from, string to)
    {
        const string Bad = "i % 100 = 0";
        var (good, bad) = from == "v varchar(3)" ? ("'a'", "'abc'") : ("1.0", "99999");
        await OnSourceAsync($"""
            CREATE TABLE t (id int, at timestamptz DEFAULT '2024-07-01', {from}) PARTITION BY RANGE (id);
            CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (500); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (500) TO (1001);
            INSERT INTO t (id, v) SELECT i, CASE WHEN {Bad} THEN {bad} ELSE {good} END FROM generate_series(1, 1000) i; INSERT INTO t (id, v) VALUES (100, {bad})
            """);
        await OnTargetAsync($"CREATE TABLE t (id int, at timestamptz, {to}, g int GENERATED ALWAYS AS (id * 2) STORED)");
        if (await Server.GetVersionAsync() < 12)
            Assert.Skip("No generated columns before PostgreSQL 12.");
        TableCopy[] tables = [new("t") { BadRows = BadRows.Reject }];
        await Run(new() { PartitionBytes = 8192 }).CopyAsync(tables, cancellationToken: Stop);

        foreach (var mode in new[] { VerificationMode.Checksum, VerificationMode.Rows })
        {
            var report = await Run().VerifyAsync(tables, mode, Stop);
            Assert.Equal(
                new TableVerification(new("public", "t"), new("public", "t"), 1001, 990, false) { RejectedRows = 11, MatchesButForRejected = true },
                Assert.Single(report.Tables));
            Assert.Equal((false, true), (report.Matches, report.MatchesButForRejected));
        }

        // Another run has put nothing aside.
        Assert.False((await Run(id: RunId + "-2").VerifyAsync(tables, cancellationToken: Stop)).MatchesButForRejected);
        await OnTargetAsync("UPDATE t SET at = at + interval '1 day' WHERE id = 7");
        var changed = await Run().VerifyAsync(tables, cancellationToken: Stop);
        Assert.Equal((11, false, false), (changed.Tables[0].RejectedRows, changed.Matches, changed.MatchesButForRejected));
    }

    [Fact]
    public async Task VerifyAsync_RowsPutAsideAndMendedSince_Match()
    {
        await OnSourceAsync("CREATE TABLE t (id int, v text); INSERT INTO t VALUES (1, 'ab'), (2, 'abc'), (2, 'abc')");
        await OnTargetAsync("CREATE TABLE t (id int, v varchar(2))");
        TableCopy[] tables = [new("t") { BadRows = BadRows.Reject }];
        await Run().CopyAsync(tables, cancellationToken: Stop);
        await OnTargetAsync("ALTER TABLE t ALTER v TYPE text; INSERT INTO t VALUES (2, 'abc'), (2, 'abc')");

        var report = await Run().VerifyAsync(tables, cancellationToken: Stop);

        Assert.Equal((true, 0, false), (report.Matches, report.Tables[0].RejectedRows, report.Tables[0].MatchesButForRejected));
    }

    private async Task AssertMatchAsync(TableCopy[] tables, params bool[] expected) =>
        Assert.Equal(expected, (await Run().VerifyAsync(tables, cancellationToken: Stop)).Tables.Select(static table => table.Matches));
}
