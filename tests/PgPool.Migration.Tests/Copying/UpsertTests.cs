using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

[Trait("Category", "Server")]
public sealed class UpsertTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private static readonly TableCopy Upsert = new("t") { Mode = TargetMode.Upsert };

    [Theory]
    [InlineData("int")]
    [InlineData("regtype")] // by text
    public async Task CopyAsync_ManyPartitions_InsertsAndUpdates(string companion)
    {
        await NeedsVersionAsync(12, "a generated column");
        await CreateAsync($"""
            CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, c {companion}, "A b" varchar(9) NOT NULL, g int GENERATED ALWAYS AS (id * 2) STORED,
                s text DEFAULT 'default')
            """);
        await OnSourceAsync("INSERT INTO t (c, \"A b\") SELECT 23, 'new ' || i FROM generate_series(1, 5000) i; UPDATE t SET s = NULL WHERE id < 3");
        await OnTargetAsync("INSERT INTO t (id, \"A b\") OVERRIDING SYSTEM VALUE SELECT i, 'old' FROM generate_series(-100, 9000, 100) i");

        var report = await Run(new() { PartitionBytes = 64 * 1024 }).CopyAsync([Upsert], cancellationToken: Stop);

        Assert.Equal(5000, report.Rows);
        Assert.True(report.Tables[0].Partitions > 2);
        Assert.Equal(await RowsAsync(SourceConnection, "SELECT * FROM t"), await RowsAsync(TargetConnection, "SELECT * FROM t WHERE id BETWEEN 1 AND 5000"));
        Assert.Equal(2 + 40, await FromTargetAsync<long>("SELECT count(*) FROM t WHERE \"A b\" = 'old'"));
        Assert.Equal(0, await FromTargetAsync<long>("SELECT count(*) FROM pg_class WHERE relname LIKE '%stage%'"));
    }

    [Fact]
    public async Task CopyAsync_OnlyKeyColumns_InsertsWhatIsMissing()
    {
        await CreateAsync("CREATE TABLE t (a int, b text, PRIMARY KEY (b, a))");
        await OnSourceAsync("INSERT INTO t SELECT i, 'x' FROM generate_series(1, 100) i");
        await OnTargetAsync("INSERT INTO t VALUES (5, 'x'), (5, 'y')");

        var report = await Run().CopyAsync([Upsert], cancellationToken: Stop);

        Assert.Equal((100, 101), (report.Rows, await FromTargetAsync<long>("SELECT count(*) FROM t")));
    }

    [Fact]
    public async Task CopyAsync_SomeColumns_LeavesTheOthersAlone()
    {
        await CreateAsync("CREATE TABLE t (id int PRIMARY KEY, a text, b text DEFAULT 'default')");
        await OnSourceAsync("INSERT INTO t VALUES (1, 'new', 'new'), (2, 'new', 'new')");
        await OnTargetAsync("INSERT INTO t VALUES (1, 'old', 'old')");

        await Run().CopyAsync([Upsert with { Columns = ["id", "a"] }], cancellationToken: Stop);

        Assert.Equal(["(1,new,old)", "(2,new,default)"], await RowsAsync(TargetConnection, "SELECT * FROM t"));
    }

    [Fact]
    public async Task CopyAsync_DomainsEnumsAndAPartitionedTarget_AreMerged()
    {
        await NeedsVersionAsync(12, "partition bounds of a domain");
        await CreateAsync("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN positive AS int NOT NULL CHECK (VALUE > 0)");
        await OnSourceAsync("CREATE TABLE t (id positive PRIMARY KEY, m mood, ms mood[]); INSERT INTO t SELECT i, 'ok', '{sad,NULL}' FROM generate_series(1, 50) i");
        await OnTargetAsync("""
            CREATE TABLE t (id positive PRIMARY KEY, m mood, ms mood[]) PARTITION BY RANGE (id);
            CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (1) TO (20); CREATE TABLE t_2 PARTITION OF t DEFAULT;
            INSERT INTO t VALUES (7, 'sad'), (30, 'sad')
            """);

        await Run().CopyAsync([Upsert], cancellationToken: Stop);

        await AssertSameTableAsync("t");
    }

    [Theory]
    [InlineData("CREATE TABLE t (id int PRIMARY KEY, v text CHECK (v <> 'bad'))", "23514", "id = 77")] // as it is merged
    [InlineData("CREATE TABLE t (id int PRIMARY KEY, v varchar(2))", "22001", "id = 77")] // as it is copied to the stage
    public async Task CopyAsync_RefusedRow_IsNamedAndNothingStays(string target, string state, string row)
    {
        await OnSourceAsync("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, CASE i WHEN 77 THEN 'bad' END FROM generate_series(1, 100) i");
        await OnTargetAsync($"{target}; INSERT INTO t VALUES (1, 'ok')");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CopyAsync([Upsert], cancellationToken: Stop));

        Assert.Contains(row, failure.Message);
        Assert.Contains(state, failure.Message);
        Assert.Equal(["(1,ok)"], await RowsAsync(TargetConnection, "SELECT * FROM t"));
    }
}
