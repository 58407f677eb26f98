using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Verifying;

[Trait("Category", "Server")]
public sealed class VerifyTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string Ddl = "CREATE TABLE t (id int PRIMARY KEY, a text, b text, n numeric(10,2))";
    private const string Fill = "INSERT INTO t SELECT i, 'a' || i, CASE WHEN i % 2 = 0 THEN '' END, i / 3.0 FROM generate_series(1, 2000) i";

    private static readonly MigrationOptions Small = new() { PartitionBytes = 8192 };

    [Fact]
    public async Task VerifyAsync_SameRowsInAnotherOrder_Match()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await OnTargetAsync($"{Fill} ORDER BY i % 7; UPDATE t SET a = a WHERE id < 500");

        var report = await Run(Small).VerifyAsync([new TableCopy("t")], cancellationToken: Stop);

        Assert.True(report.Matches);
        Assert.Equal(new TableVerification(new("public", "t"), new("public", "t"), 2000, 2000, true), Assert.Single(report.Tables));
    }

    [Theory]
    [InlineData("UPDATE t SET n = n + 0.01 WHERE id = 1777")]
    [InlineData("UPDATE t SET a = b, b = a WHERE id = 1000")]
    [InlineData("UPDATE t SET b = NULL WHERE id = 1000")]
    [InlineData("UPDATE t SET b = '' WHERE id = 1001")]
    [InlineData("UPDATE t SET a = CASE id WHEN 7 THEN 'a8' ELSE 'a7' END WHERE id IN (7, 8)")]
    [InlineData("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (0, 'a1', NULL, 0.33)")]
    public async Task VerifyAsync_RowsDiffer_IsFoundByChecksumAndNotByCount(string change)
    {
        await CreateAsync($"{Ddl}; {Fill}");
        await OnTargetAsync(change);

        var sums = await Run(Small).VerifyAsync([new TableCopy("t")], cancellationToken: Stop);
        var counts = await Run(Small).VerifyAsync([new TableCopy("t")], VerificationMode.Rows, Stop);

        Assert.False(sums.Matches);
        Assert.Equal((2000, 2000), (sums.Tables[0].SourceRows, sums.Tables[0].TargetRows));
        Assert.True(counts.Matches);
    }

    [Theory]
    [InlineData("v int", 2, true)]
    [InlineData("v int", 3, false)]
    [InlineData("v int GENERATED ALWAYS AS (id * 2) STORED", 3, false)]
    public async Task VerifyAsync_TargetGeneratesAColumn_IsComparedToo(string column, int factor, bool matches)
    {
        await NeedsVersionAsync(12, "a generated column");
        await OnSourceAsync($"CREATE TABLE t (id int, {column}); INSERT INTO t (id) VALUES (1), (2)");
        if (column == "v int")
            await OnSourceAsync("UPDATE t SET v = id * 2");
        await OnTargetAsync($"CREATE TABLE t (id int, v int GENERATED ALWAYS AS (id * {factor}) STORED)");
        await Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        var report = await Run().VerifyAsync([new TableCopy("t")], cancellationToken: Stop);

        Assert.Equal(matches, report.Matches);
    }

    [Theory]
    [InlineData(VerificationMode.Rows)]
    [InlineData(VerificationMode.Checksum)]
    public async Task VerifyAsync_RowMissing_IsFound(VerificationMode mode)
    {
        await CreateAsync($"{Ddl}; {Fill}");
        await CreateAsync("CREATE TABLE full_ AS SELECT 1 AS x");
        await OnTargetAsync("DELETE FROM t WHERE id = 2000");

        var report = await Run(Small).VerifyAsync([new TableCopy("full_"), new TableCopy("t")], mode, Stop);

        Assert.False(report.Matches);
        Assert.Equal([true, false], report.Tables.Select(table => table.Matches));
        Assert.Equal((2000, 1999), (report.Tables[1].SourceRows, report.Tables[1].TargetRows));
    }

    [Fact]
    public async Task VerifyAsync_OneRowTwiceInPlaceOfAnother_IsFound()
    {
        await CreateAsync("CREATE TABLE t (a text)");
        await OnSourceAsync("INSERT INTO t VALUES ('x'), ('x'), ('y'), ('y')");
        await OnTargetAsync("INSERT INTO t VALUES ('x'), ('x'), ('x'), ('x')");

        Assert.False((await Run().VerifyAsync([new TableCopy("t")], cancellationToken: Stop)).Matches);
    }

    [Fact]
    public async Task VerifyAsync_WhereColumnsAndTarget_AreHeeded()
    {
        await OnSourceAsync($"{Ddl}; {Fill}");
        await OnTargetAsync($"""
            CREATE SCHEMA "New"; {Ddl}; {Fill}; DELETE FROM t WHERE id > 1500; UPDATE t SET b = 'other'; ALTER TABLE t SET SCHEMA "New"; ALTER TABLE "New".t RENAME TO "T"
            """);
        var table = new TableCopy("t") { Target = new TableName("New", "T"), Columns = ["id", "n"], Where = "t.id <= 1500 -- first" };

        Assert.True((await Run(Small).VerifyAsync([table], cancellationToken: Stop)).Matches);
        Assert.False((await Run(Small).VerifyAsync([table with { Columns = null }], cancellationToken: Stop)).Matches);
        Assert.False((await Run(Small).VerifyAsync([table with { Where = null }], cancellationToken: Stop)).Matches);
    }

    [Fact]
    public async Task VerifyAsync_PartitionedAgainstOrdinary_Match()
    {
        await NeedsVersionAsync(11, "a default partition");
        await OnSourceAsync("""
            CREATE TABLE t (id int, at date) PARTITION BY RANGE (id);
            CREATE TABLE t1 (at date, id int);
            ALTER TABLE t ATTACH PARTITION t1 FOR VALUES FROM (0) TO (100);
            CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (100) TO (200) PARTITION BY LIST (at);
            CREATE TABLE t2d PARTITION OF t2 DEFAULT
            """);
        await OnTargetAsync("CREATE TABLE t (id int, at date); CREATE TABLE child () INHERITS (t); INSERT INTO child VALUES (1, 'today')");
        await CreateAsync("INSERT INTO t SELECT i, date '2026-01-01' + i FROM generate_series(0, 199) i");

        var report = await Run(Small).VerifyAsync([new TableCopy("t") { Where = "t.id >= 0" }], cancellationToken: Stop);

        Assert.Equal((200, 200, true), (report.Tables[0].SourceRows, report.Tables[0].TargetRows, report.Matches));
    }

    [Fact]
    public async Task VerifyAsync_OtherTypesAndSettings_CompareValues()
    {
        await NeedsVersionAsync(12, "a generated column");
        await OnSourceAsync("""
            CREATE TABLE t (id int, m numeric, c char(5), w timestamptz, i interval, f float4, x bytea, o money, g int GENERATED ALWAYS AS (id + 1) STORED);
            INSERT INTO t VALUES (1, 5, 'ab', '2026-03-29 01:30+00', '1 month 2 days', 'NaN', '\x00ff', 12.5), (2, NULL, '', '-infinity', NULL, '-0', '', NULL);
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET TimeZone = ''Asia/Tokyo''', current_database()); END $$
            """);
        await OnTargetAsync("""
            CREATE TABLE t (id bigint, m numeric(10,2), c varchar, w timestamptz, i interval, f float4, x bytea, o money, g int GENERATED ALWAYS AS (id + 1) STORED);
            INSERT INTO t VALUES (1, 5, 'ab', '2026-03-29 01:30+00', '1 month 2 days', 'NaN', '\x00ff', 12.5), (2, NULL, '', '-infinity', NULL, '-0', '', NULL);
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET DateStyle = ''SQL, DMY''', current_database());
            EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database()); END $$
            """);

        Assert.True((await Run().VerifyAsync([new TableCopy("t")], cancellationToken: Stop)).Matches);
        await OnTargetAsync("UPDATE t SET f = 0 WHERE id = 2");
        Assert.False((await Run().VerifyAsync([new TableCopy("t")], cancellationToken: Stop)).Matches);
    }

    [Fact]
    public async Task VerifyAsync_OtherEncoding_ComparesCharacters()
    {
        await Server.ExecuteAsync($"CREATE DATABASE \"{RunId}\" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
        var latin = new Npgsql.NpgsqlConnectionStringBuilder(TargetConnection) { Database = RunId }.ConnectionString;
        const string Rows = "CREATE TABLE t (id int, a text); INSERT INTO t SELECT i, 'né ' || i FROM generate_series(1, 100) i";
        await OnSourceAsync(Rows);
        await Unpooled.ExecuteAsync(latin, Rows);
        await using var target = Pool(latin, 2);
        var run = new MigrationRun(RunId, Source, target);

        Assert.True((await run.VerifyAsync([new TableCopy("t")], cancellationToken: Stop)).Matches);
        await Unpooled.ExecuteAsync(latin, "UPDATE t SET a = 'ne 7' WHERE id = 7");
        Assert.False((await run.VerifyAsync([new TableCopy("t")], cancellationToken: Stop)).Matches);
    }

    [Fact]
    public async Task VerifyAsync_OnePool_ComparesItsTables()
    {
        await OnSourceAsync($"{Ddl}; {Fill}; CREATE TABLE copy AS TABLE t");
        await using var pool = SourcePool(2);
        var run = new MigrationRun(RunId, pool, pool);

        Assert.True((await run.VerifyAsync([new TableCopy("t") { Target = TableName.Parse("copy") }], cancellationToken: Stop)).Matches);
    }

    [Fact]
    public async Task VerifyAsync_ConcurrentWriter_EachSideIsReadAtOneInstant()
    {
        const string Accounts = "CREATE TABLE debit (n int); CREATE TABLE credit (n int)";
        await CreateAsync(Accounts);
        await OnTargetAsync("INSERT INTO debit VALUES (1); INSERT INTO credit VALUES (1)");
        await OnSourceAsync("INSERT INTO debit VALUES (1); INSERT INTO credit VALUES (1)");
        using var ended = new CancellationTokenSource();
        var writing = WriteAsync(ended.Token);

        for (var round = 0; round < 20; round++)
        {
            var report = await Run().VerifyAsync([new TableCopy("debit"), new TableCopy("credit")], VerificationMode.Rows, Stop);
            Assert.Equal(report.Tables[0].SourceRows, report.Tables[1].SourceRows);
        }

        await ended.CancelAsync();
        Assert.True(await writing > 0);

        async Task<int> WriteAsync(CancellationToken stop)
        {
            var written = 0;
            while (!stop.IsCancellationRequested)
            {
                await OnSourceAsync("BEGIN; INSERT INTO debit VALUES (1); INSERT INTO credit VALUES (1); COMMIT");
                written++;
            }

            return written;
        }
    }

    [Fact]
    public async Task VerifyAsync_WhatIsMissing_IsListed()
    {
        await OnSourceAsync("CREATE TABLE a (x int, y int); CREATE TABLE b (x int)");
        await OnTargetAsync("CREATE TABLE a (x int)");

        var failure = await Assert.ThrowsAsync<MigrationException>(
            () => Run().VerifyAsync([new TableCopy("a"), new TableCopy("b"), new TableCopy("c")], cancellationToken: Stop));

        Assert.Contains("lacks the column \"y\"", failure.Message, StringComparison.Ordinal);
        Assert.Contains("has no table \"public\".\"b\"", failure.Message, StringComparison.Ordinal);
        Assert.Contains("has no table \"public\".\"c\"", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Run().VerifyAsync([new TableCopy("a")], (VerificationMode)7, Stop));
    }

    [Fact]
    public async Task VerifyAsync_Cancelled_LeavesNobodyBehind()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync("INSERT INTO t VALUES (1)");
        await using var blocker = await Unpooled.OpenAsync(TargetConnection);
        await using var transaction = await blocker.BeginTransactionAsync(Stop);
        await using (var command = new Npgsql.NpgsqlCommand("LOCK TABLE t IN ACCESS EXCLUSIVE MODE", blocker))
            await command.ExecuteNonQueryAsync(Stop);
        using var cancellation = new CancellationTokenSource();

        var verifying = Run().VerifyAsync([new TableCopy("t")], cancellationToken: cancellation.Token);
        await Eventually.BecomesAsync(
            () => FromTargetAsync<bool>("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 't'::regclass)"), "it waits for the table");
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => verifying.WaitAsync(TimeSpan.FromSeconds(10), Stop));
        await Eventually.BecomesAsync(() => Source.GetStatistics().Leased + Target.GetStatistics().Leased == 0, "no lease is out");
        // Leases are reset in the background.
        await Eventually.BecomesAsync(
            async () => await Server.ScalarAsync<int>(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state <> 'idle' AND pid <> $2", ApplicationName, blocker.ProcessID) == 0,
            "no backend is at work");
    }
}
