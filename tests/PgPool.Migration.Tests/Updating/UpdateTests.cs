using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Updating;

[Trait("Category", "Server")]
public sealed class UpdateTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private static readonly TableName Table = TableName.Parse("t");
    private static readonly MigrationOptions Small = new() { PartitionBytes = 64 * 1024 };

    [Fact]
    public async Task UpdateAsync_Rows_AreEachChangedOnce()
    {
        await FillAsync("int", "i * 3 - 5000", 20000);
        var progress = new ProgressRecorder();

        var report = await Run(Small).UpdateAsync(Table, "UPDATE t SET n = n + 1 WHERE id BETWEEN @first AND @last", progress, Stop);

        Assert.Equal((20000, 1, 1), (report.Rows, await FromTargetAsync<int>("SELECT min(n) FROM t"), await FromTargetAsync<int>("SELECT max(n) FROM t")));
        Assert.True(report.Tables[0].Partitions > 3);
        var last = progress.All.Last();
        Assert.Equal(("done", 20000, last.PartitionsTotal), (last.Phase, last.Rows, last.PartitionsDone));
        foreach (var (earlier, later) in progress.All.Zip(progress.All.Skip(1)))
            Assert.True(later.Rows >= earlier.Rows && later.Fraction >= earlier.Fraction, $"{earlier} then {later}");
        var again = await Run(Small).UpdateAsync(Table, "UPDATE t SET n = n + 1 WHERE id BETWEEN @first AND @last", cancellationToken: Stop);
        Assert.Equal((0, 1), (again.Rows, await FromTargetAsync<int>("SELECT max(n) FROM t")));
    }

    [Theory]
    [InlineData("smallint", "i - 1000")]
    [InlineData("bigint", "i * 1000000000::bigint")]
    [InlineData("numeric", "i / 7.0")]
    [InlineData("uuid", "md5(i::text)::uuid")]
    [InlineData("text", "md5(i::text)")]
    [InlineData("varchar(50)", "'it''s \\ ' || i")]
    [InlineData("char(20)", "'x ' || i")]
    [InlineData("date", "date '1999-12-01' + i")]
    [InlineData("timestamp", "timestamp '1999-12-01' + i * interval '1.000001 second'")]
    [InlineData("timestamptz", "timestamptz '2026-03-01' + i * interval '1 hour'")]
    [InlineData("bytea", "int4send(i)")]
    [InlineData("date", "CASE i WHEN 1 THEN 'infinity' WHEN 2 THEN '9999-12-31' WHEN 3 THEN '0001-01-01' WHEN 4 THEN '4000-01-01 BC' ELSE date '2000-12-01' + i END")]
    [InlineData("timestamp", "CASE i WHEN 1 THEN '-infinity' WHEN 2 THEN '0001-01-01' ELSE timestamp '9999-12-01' + i * interval '1 hour' END")]
    [InlineData("numeric", "CASE i WHEN 1 THEN 'NaN' ELSE 1e40 + i END")]
    [InlineData("interval", "i * interval '1 month 1 hour'")]
    [InlineData("inet", "('10.0.' || i / 250 || '.' || i % 250 || '/8')::inet")]
    [InlineData("float8", "i / 3.0::float8")]
    [InlineData("positive", "i")]
    [InlineData("mood", "('m' || i)::mood")]
    public async Task UpdateAsync_KeysOfManyTypes_AreCoveredOnce(string type, string value)
    {
        await OnTargetAsync("CREATE DOMAIN positive AS int CHECK (VALUE > 0)");
        await OnTargetAsync($"CREATE TYPE mood AS ENUM ({string.Join(", ", Enumerable.Range(1, 2500).Select(i => $"'m{i}'"))})");
        await FillAsync(type, value, 2500);

        var report = await Run(Small).UpdateAsync(Table, "UPDATE t SET n = n + 1 WHERE id BETWEEN @first AND @last", cancellationToken: Stop);

        Assert.Equal((2500, 2500), (report.Rows, await FromTargetAsync<long>("SELECT count(*) FROM t WHERE n = 1")));
    }

    [Fact]
    public async Task UpdateAsync_FirstColumnOfTheKeyRepeats_NoRowIsLeftOut()
    {
        await OnTargetAsync("""
            CREATE TABLE t (id int, line int, n int DEFAULT 0, PRIMARY KEY (id, line));
            INSERT INTO t SELECT i, j FROM generate_series(1, 3) i, generate_series(1, 2700) j
            """);

        var report = await Run(Small).UpdateAsync(Table, "UPDATE t SET n = n + 1 WHERE id BETWEEN @first AND @last", cancellationToken: Stop);

        Assert.Equal((8100, 8100), (report.Rows, await FromTargetAsync<long>("SELECT count(*) FROM t WHERE n = 1")));
    }

    [Fact]
    public async Task UpdateAsync_DeleteOnAPartitionedTable_Deletes()
    {
        await NeedsVersionAsync(11, "a partition by hash");
        await OnTargetAsync("""
            CREATE TABLE "T x" ("Id" int PRIMARY KEY, n int DEFAULT 0) PARTITION BY HASH ("Id");
            CREATE TABLE a PARTITION OF "T x" FOR VALUES WITH (MODULUS 2, REMAINDER 0);
            CREATE TABLE b PARTITION OF "T x" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
            INSERT INTO "T x" SELECT generate_series(1, 4000)
            """);

        var report = await Run(Small).UpdateAsync(
            new("public", "T x"), """DELETE FROM "T x" WHERE "Id" BETWEEN @first AND @last AND "Id" % 2 = 0""", cancellationToken: Stop);

        Assert.Equal((2000, 2000), (report.Rows, await FromTargetAsync<long>("SELECT count(*) FROM \"T x\"")));
    }

    [Fact]
    public async Task UpdateAsync_SentinelDatesThatRepeat_AreCoveredOnce()
    {
        await OnTargetAsync("""
            CREATE TABLE t (id date, line int, n int DEFAULT 0, PRIMARY KEY (id, line));
            INSERT INTO t SELECT CASE i % 3 WHEN 0 THEN '9999-12-31' WHEN 1 THEN '0001-01-01' ELSE date '2020-01-01' + i END, i FROM generate_series(1, 4500) i
            """);

        var report = await Run(Small).UpdateAsync(Table, "UPDATE t SET n = n + 1 WHERE id BETWEEN @first AND @last", cancellationToken: Stop);

        Assert.Equal((4500, 4500), (report.Rows, await FromTargetAsync<long>("SELECT count(*) FROM t WHERE n = 1")));
    }

    [Fact]
    public async Task UpdateAsync_ChildrenByInheritance_AreCoveredAsTheStatementReachesThem()
    {
        await OnTargetAsync("""
            CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0);
            CREATE TABLE child (PRIMARY KEY (id)) INHERITS (t);
            INSERT INTO t SELECT i * 2 FROM generate_series(1, 3000) i;
            INSERT INTO child SELECT i * 2 + 1 FROM generate_series(-100, 4000) i
            """);

        var report = await Run(Small).UpdateAsync(Table, "UPDATE t SET n = n + 1 WHERE id BETWEEN @first AND @last", cancellationToken: Stop);

        Assert.Equal((7101, 7101), (report.Rows, await FromTargetAsync<long>("SELECT count(*) FROM t WHERE n = 1")));
    }

    [Fact]
    public async Task UpdateAsync_EmptyTable_DoesNothing()
    {
        await FillAsync("int", "i", 0);

        var report = await Run().UpdateAsync(Table, "DELETE FROM t WHERE id BETWEEN @first AND @last", cancellationToken: Stop);

        Assert.Equal(0, report.Rows);
    }

    [Fact]
    public async Task UpdateAsync_FailsOnTheWay_GoesOnWhereItWas()
    {
        await FillAsync("int", "i", 20000);
        await OnTargetAsync("ALTER TABLE t ADD CONSTRAINT early CHECK (n < 1 OR id <> 15000)");
        const string Sql = "UPDATE t SET n = n + 1 WHERE id BETWEEN @first AND @last";

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run(Small).UpdateAsync(Table, Sql, cancellationToken: Stop));
        Assert.Contains("early", failure.Message, StringComparison.Ordinal);
        Assert.Equal(Table, failure.Table);
        await OnTargetAsync("ALTER TABLE t DROP CONSTRAINT early");
        await Run(Small).UpdateAsync(Table, Sql, cancellationToken: Stop);

        Assert.Equal(20000, await FromTargetAsync<long>("SELECT count(*) FROM t WHERE n = 1"));
    }

    [Fact]
    public async Task UpdateAsync_TwoOfOneIdAndDeadlocks_ChangeEachRowOnce()
    {
        await FillAsync("int", "i", 10000);
        await OnTargetAsync("""
            CREATE SEQUENCE failures;
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN IF nextval('failures') % 4 = 1 THEN RAISE EXCEPTION 'made up' USING ERRCODE = '40P01'; END IF; RETURN NULL; END $$;
            CREATE TRIGGER fail BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE PROCEDURE fail()
            """);
        await using var other = TargetPool();
        var options = Small with { MaxAttempts = 50 };

        var reports = await Task.WhenAll(
            Run(options).UpdateAsync(Table, "UPDATE t SET n = n + 1 WHERE id BETWEEN @first AND @last", cancellationToken: Stop),
            new MigrationRun(RunId, Source, other, options).UpdateAsync(Table, "UPDATE t SET n = n + 1 WHERE id BETWEEN @first AND @last", cancellationToken: Stop));

        Assert.Equal(10000, reports.Sum(report => report.Rows));
        Assert.True(reports.Sum(report => report.Retries) > 0);
        Assert.Equal(10000, await FromTargetAsync<long>("SELECT count(*) FROM t WHERE n = 1"));
    }

    [Theory]
    [InlineData("UPDATE t SET nonsense = 1 WHERE id BETWEEN @first AND @last", "nonsense")]
    [InlineData("SELECT * FROM t WHERE id BETWEEN @first AND @last", "no UPDATE or DELETE")]
    [InlineData("UPDATE t SET WHERE @first @last", "cannot run")]
    public async Task UpdateAsync_StatementThatCannotRun_IsRefusedBeforeAnything(string sql, string told)
    {
        await FillAsync("int", "i", 10);

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().UpdateAsync(Table, sql, cancellationToken: Stop));

        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
        Assert.False(await FromTargetAsync<bool>("SELECT to_regnamespace('pgpool_migration') IS NOT NULL"));
        Assert.Equal(0, Target.GetStatistics().Leased);
    }

    [Fact]
    public async Task UpdateAsync_BadArguments_AreNamed()
    {
        await OnTargetAsync("CREATE TABLE t (id int); CREATE VIEW v AS SELECT 1 AS id");
        const string Sql = "UPDATE t SET id = 1 WHERE id BETWEEN @first AND @last";

        await Assert.ThrowsAsync<ArgumentException>(() => Run().UpdateAsync(Table, "UPDATE t SET id = 1 WHERE id > @first", cancellationToken: Stop));
        Assert.Contains("no primary key", (await Assert.ThrowsAsync<MigrationException>(() => Run().UpdateAsync(Table, Sql, cancellationToken: Stop))).Message, StringComparison.Ordinal);
        Assert.Contains("not a table", (await Assert.ThrowsAsync<MigrationException>(() => Run().UpdateAsync(new("public", "v"), Sql, cancellationToken: Stop))).Message, StringComparison.Ordinal);
        Assert.Contains("not in the target", (await Assert.ThrowsAsync<MigrationException>(() => Run().UpdateAsync(new("public", "x"), Sql, cancellationToken: Stop))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UpdateAsync_OtherStatementUnderTheSameId_IsRefused()
    {
        await FillAsync("int", "i", 10);
        await Run().UpdateAsync(Table, "UPDATE t SET n = 1 WHERE id BETWEEN @first AND @last", cancellationToken: Stop);

        var failure = await Assert.ThrowsAsync<MigrationException>(
            () => Run().UpdateAsync(Table, "UPDATE t SET n = 2 WHERE id BETWEEN @first AND @last", cancellationToken: Stop));

        Assert.Contains("was begun with another plan", failure.Message, StringComparison.Ordinal);
        Assert.Equal(10, await FromTargetAsync<long>("SELECT count(*) FROM t WHERE n = 1"));
    }

    private Task FillAsync(string type, string value, int rows) => OnTargetAsync($"""
        CREATE TABLE t (id {type} PRIMARY KEY, n int DEFAULT 0, filler text DEFAULT repeat('x', 50));
        INSERT INTO t (id) SELECT {value} FROM generate_series(1, {rows}) i;
        ANALYZE t
        """);
}
