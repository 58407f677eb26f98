using System.Globalization;
using System.Text.RegularExpressions;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

/// <summary>Rows that the target refuses: named, or put aside.</summary>
public sealed class BadRowTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const int Rows = 5000;
    private const string Ddl = "CREATE TABLE t (id int PRIMARY KEY, a bigint, b text)";

    // Rows 777, 778 and 4999 are bad in every case.
    private const string Fill = """
        INSERT INTO t SELECT i, CASE WHEN i IN (777, 778, 4999) THEN NULL ELSE i END, repeat('b', CASE WHEN i IN (777, 778, 4999) THEN 4 ELSE 3 END)
        FROM generate_series(1, 5000) i
        """;

    public static TheoryData<string, string> Refusals => new()
    {
        { "CREATE TABLE t (id int PRIMARY KEY, a bigint NOT NULL, b text)", "23502" },
        { "CREATE TABLE t (id int PRIMARY KEY, a bigint, b text CHECK (length(b) < 4))", "23514" },
        { "CREATE TABLE t (id int PRIMARY KEY, a bigint, b varchar(3))", "22001" },
        { "CREATE TABLE t (id int, a bigint, b text); CREATE UNIQUE INDEX ON t (id); INSERT INTO t VALUES (777), (778), (4999)", "23505" },
        { "CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED, a bigint, b text); INSERT INTO t VALUES (777), (778), (4999)", "23505" },
        { "CREATE TABLE bs (b text PRIMARY KEY); INSERT INTO bs VALUES ('bbb'); CREATE TABLE t (id int PRIMARY KEY, a bigint, b text REFERENCES bs)", "23503" },
        {
            """
            CREATE TABLE bs (b text PRIMARY KEY); INSERT INTO bs VALUES ('bbb');
            CREATE TABLE t (id int PRIMARY KEY, a bigint, b text REFERENCES bs DEFERRABLE INITIALLY DEFERRED)
            """, "23503"
        },
        { "CREATE DOMAIN short AS text CHECK (length(VALUE) < 4); CREATE TABLE t (id int PRIMARY KEY, a bigint, b short)", "23514" },
        { "CREATE TABLE t (id int, a bigint, b text, EXCLUDE (id WITH =)); INSERT INTO t VALUES (777), (778), (4999)", "23P01" },
        { "CREATE TABLE t (id int, a bigint, b text) PARTITION BY LIST (b); CREATE TABLE t_b PARTITION OF t FOR VALUES IN ('bbb')", "23514" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task CopyAsync_BadRowsReject_OthersArriveAndCountsAreExact(string target, string state)
    {
        await OnTargetAsync(target);
        await OnSourceAsync($"{Ddl}; {Fill}");
        var before = await FromTargetAsync<long>("SELECT count(*) FROM t");

        var report = await Run(new() { PartitionBytes = 64 * 1024 }).CopyAsync([new TableCopy("t") { BadRows = BadRows.Reject }], cancellationToken: Stop);

        Assert.Equal((Rows - 3, 3, 0), (report.Rows, report.RejectedRows, report.Retries));
        Assert.Equal(report.Rows, report.Tables[0].Rows);
        Assert.True(report.Tables[0].Partitions > 1);
        Assert.Equal(before + Rows - 3, await FromTargetAsync<long>("SELECT count(*) FROM t"));
        Assert.Equal(
            await RowsAsync(SourceConnection, "SELECT * FROM t WHERE b = 'bbb'"), await RowsAsync(TargetConnection, "SELECT * FROM t WHERE b = 'bbb'"));
        Assert.Equal(
            new[] { 4999, 777, 778 }.Select(id => $"({RunId},\"\"\"public\"\".\"\"t\"\"\",t,\"({id},,bbbb)\",{state},t,t)"),
            await RowsAsync(TargetConnection, """
                SELECT run_id, table_name, partition <> '', row, sqlstate, error <> '', rejected_at BETWEEN now() - interval '10 min' AND now()
                FROM pgpool_migration.rejected
                """));
    }

    [Fact]
    public async Task CopyAsync_BadRowsReject_ProgressHasOnlyWhatArrives()
    {
        await OnSourceAsync($"{Ddl}; {Fill}");
        await OnTargetAsync("CREATE TABLE t (id int PRIMARY KEY, a bigint NOT NULL, b text)");
        var progress = new ProgressRecorder();

        // All rows go out, and are held up, before the target says that one of them is bad.
        var report = await Run(new() { MaxBytesPerSecond = 300_000 }).CopyAsync(
            [new TableCopy("t") { BadRows = BadRows.Reject, PartitionBy = PartitionBy.Whole }], progress, Stop);

        Assert.Equal(Rows - 3, report.Rows);
        Assert.Equal((report.Rows, report.Bytes), (progress.All.Max(told => told.Rows), progress.All.Max(told => told.Bytes)));
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task CopyAsync_BadRowsFail_NamesTablePartitionAndRow(string target, string state)
    {
        await OnTargetAsync(target);
        await OnSourceAsync($"{Ddl}; {Fill}");
        var before = await FromTargetAsync<long>("SELECT count(*) FROM t");

        var failure = await Assert.ThrowsAsync<MigrationException>(
            () => Run().CopyAsync([new TableCopy("t") { PartitionBy = PartitionBy.Whole }], cancellationToken: Stop));

        Assert.Matches("row id = (777|778|4999)\\b", failure.Message);
        Assert.Contains(state, failure.Message);
        Assert.Contains("BadRows.Reject", failure.Message);
        Assert.Equal((new TableName("public", "t"), "true"), (failure.Table, failure.Partition));
        Assert.Equal(before, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task CopyAsync_ValueThatDoesNotConvert_IsABadRowToo()
    {
        await OnSourceAsync("CREATE TABLE t (id bigint, x text, PRIMARY KEY (x, id)); INSERT INTO t SELECT i, 'x' FROM generate_series(1, 1000) i");
        await OnSourceAsync("INSERT INTO t VALUES (3000000000, 'it''s')");
        await OnTargetAsync("CREATE TABLE t (id int, x text)");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop));
        var report = await Run(id: RunId + "-2").CopyAsync([new TableCopy("t") { BadRows = BadRows.Reject }], cancellationToken: Stop);

        Assert.Contains("row x = it's, id = 3000000000", failure.Message);
        Assert.Contains("22003", failure.Message);
        Assert.Equal((1000, 1), (report.Rows, report.RejectedRows));
        Assert.Equal("(3000000000,it's)", await FromTargetAsync<string>("SELECT row FROM pgpool_migration.rejected"));
        Assert.Equal(1000, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    [Theory]
    [InlineData("t", "int")]
    [InlineData("\"A, line 5\"", "regtype")]
    public async Task CopyAsync_RowWithoutKey_IsNamedByItsLine(string table, string companion)
    {
        await OnSourceAsync($"CREATE TABLE {table} (a int, c {companion}); INSERT INTO {table} SELECT i FROM generate_series(1, 1000) i");
        await OnTargetAsync($"CREATE TABLE {table} (a int CHECK (a <> 345), c {companion})");

        var failure = await Assert.ThrowsAsync<MigrationException>(
            () => Run().CopyAsync([new TableCopy(table)], cancellationToken: Stop));

        Assert.Contains("at COPY line 345", failure.Message);
    }

    [Theory]
    [InlineData(PartitionBy.Key)]
    [InlineData(PartitionBy.Blocks)]
    [InlineData(PartitionBy.Whole)]
    public async Task CopyAsync_RowsNotInOrderOfTheirKey_TheRightOneIsNamed(PartitionBy by)
    {
        await OnSourceAsync(
            $"{Ddl}; INSERT INTO t SELECT i, row_number() OVER (ORDER BY md5(i::text)), repeat('x', 900) FROM generate_series(1, 2000) i; ANALYZE t");
        await OnTargetAsync("CREATE TABLE t (id int PRIMARY KEY, a bigint, b text, CHECK (a > 1000))");

        var failure = await Assert.ThrowsAsync<MigrationException>(
            () => Run(new() { PartitionBytes = 32 * 1024 }).CopyAsync([new TableCopy("t") { PartitionBy = by }], cancellationToken: Stop));

        // Whatever way the server took to the rows: it is one of the partition that the target refuses.
        var named = int.Parse(Regex.Match(failure.Message, @"row id = (\d+) ").Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        Assert.True(await FromSourceAsync<bool>($"SELECT a <= 1000 FROM t WHERE {failure.Partition} AND id = {named}"));
    }

    [Fact]
    public async Task CopyAsync_RowsOfTwoFaults_NameAndReasonAreOfOneRow()
    {
        await OnSourceAsync($"{Ddl}; INSERT INTO t SELECT i, i % 2, repeat('x', 900) FROM generate_series(1, 2000) i");
        await OnTargetAsync("CREATE TABLE t (id int PRIMARY KEY, a bigint, b text, CONSTRAINT odd CHECK (a = 1 OR id < 1000), CONSTRAINT even CHECK (a = 0 OR id > 1000))");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop));

        var row = Regex.Match(failure.Message, @"row id = (\d+) .*constraint ""(odd|even)""").Groups;
        Assert.Equal(row[2].Value == "even", int.Parse(row[1].ValueSpan, CultureInfo.InvariantCulture) % 2 == 1);
    }

    [Fact]
    public async Task CopyAsync_EveryRowIsBad_RunEndsWithAllRejected()
    {
        await OnSourceAsync("CREATE TABLE t (a int); INSERT INTO t SELECT i FROM generate_series(1, 300) i");
        await OnTargetAsync("CREATE TABLE t (a int CHECK (a < 0))");

        var report = await Run().CopyAsync([new TableCopy("t") { BadRows = BadRows.Reject }], cancellationToken: Stop);
        var again = await Run().CopyAsync([new TableCopy("t") { BadRows = BadRows.Reject }], cancellationToken: Stop);

        Assert.Equal((0, 0, 300), (report.Rows, report.Bytes, report.RejectedRows));
        Assert.Equal((0, 0, 1), (again.Rows, again.RejectedRows, again.PartitionsSkipped));
        Assert.Equal(300, await FromTargetAsync<long>("SELECT count(DISTINCT row) FROM pgpool_migration.rejected"));
    }

    [Fact]
    public async Task CopyAsync_RejectedAndReferred_RowsThatReferToItAreRejectedToo()
    {
        await OnSourceAsync("""
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p SELECT generate_series(1, 10);
            CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p); INSERT INTO c SELECT i, i % 10 + 1 FROM generate_series(1, 100) i
            """);
        await OnTargetAsync("CREATE TABLE p (id int PRIMARY KEY CHECK (id <> 3)); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p)");

        var report = await Run().CopyAsync(
            [new TableCopy("c") { BadRows = BadRows.Reject }, new TableCopy("p") { BadRows = BadRows.Reject }], cancellationToken: Stop);

        Assert.Equal((9 + 90, 1 + 10), (report.Rows, report.RejectedRows));
        Assert.Equal(await RowsAsync(SourceConnection, "SELECT * FROM c WHERE p <> 3"), await RowsAsync(TargetConnection, "SELECT * FROM c"));
    }
}
