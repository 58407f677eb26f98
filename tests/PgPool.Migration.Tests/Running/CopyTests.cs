using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Running;

[Trait("Category", "Server")]
public sealed class CopyTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string Orders = "CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL, note text, total numeric(12,2))";
    private const string Fill = """
        INSERT INTO orders SELECT i, i % 100, CASE WHEN i % 3 = 0 THEN repeat('x', i % 50) END, i / 7.0 FROM generate_series(1, 20000) i;
        ANALYZE orders
        """;

    private static readonly MigrationOptions Small = new() { PartitionBytes = 64 * 1024 };

    [Theory]
    [InlineData(PartitionBy.Auto)]
    [InlineData(PartitionBy.Key)]
    [InlineData(PartitionBy.Blocks)]
    [InlineData(PartitionBy.Whole)]
    public async Task CopyAsync_AnyPartitioning_ArrivesExactly(PartitionBy by)
    {
        await CreateAsync(Orders);
        await OnSourceAsync(Fill);

        var report = await Run(Small).CopyAsync([new TableCopy("orders") { PartitionBy = by }], cancellationToken: Stop);

        await AssertSameTableAsync("orders");
        Assert.Equal(20000, report.Rows);
        var table = Assert.Single(report.Tables);
        Assert.Equal(20000, table.Rows);
        Assert.True(table.Bytes > 20000 * 20, $"{table.Bytes} bytes");
        Assert.InRange(table.Partitions, by == PartitionBy.Whole ? 1 : 10, by == PartitionBy.Whole ? 1 : 30);
        Assert.Equal((0L, 0, 0, Consistency.Snapshot), (report.RejectedRows, report.Retries, report.PartitionsSkipped, report.Consistency));
    }

    [Fact]
    public async Task CopyAsync_FinishedRunAgain_SkipsEveryPartition()
    {
        await CreateAsync(Orders);
        await OnSourceAsync(Fill);
        var first = await Run(Small).CopyAsync([new TableCopy("orders")], cancellationToken: Stop);

        var second = await Run(Small).CopyAsync([new TableCopy("orders")], cancellationToken: Stop);

        Assert.Equal((0L, 0L, first.Tables[0].Partitions), (second.Rows, second.Bytes, second.PartitionsSkipped));
        await AssertSameTableAsync("orders");
    }

    [Fact]
    public async Task CopyAsync_WhereColumnsAndTarget_AreHeeded()
    {
        await OnSourceAsync(Orders);
        await OnSourceAsync(Fill);
        await OnTargetAsync("""CREATE SCHEMA "New"; CREATE TABLE "New"."Orders" (total numeric(12,2), id bigint, customer int DEFAULT 7)""");

        await Run(Small).CopyAsync(
            [new TableCopy("orders") { Target = new TableName("New", "Orders"), Columns = ["id", "total"], Where = "customer < 10 -- few" }], cancellationToken: Stop);

        Assert.Equal(
            await RowsAsync(SourceConnection, "SELECT id, total, 7 FROM orders WHERE customer < 10"),
            await RowsAsync(TargetConnection, """SELECT id, total, customer FROM "New"."Orders" """));
    }

    [Fact]
    public async Task CopyAsync_TruncateOfAParent_LeavesItsChildrenAlone()
    {
        await NeedsVersionAsync(11, "a partition by hash");
        await CreateAsync("CREATE TABLE t (id int); CREATE TABLE child () INHERITS (t); CREATE TABLE p (id int) PARTITION BY HASH (id)");
        await CreateAsync("CREATE TABLE part PARTITION OF p FOR VALUES WITH (MODULUS 1, REMAINDER 0)");
        await OnSourceAsync("INSERT INTO t VALUES (1); INSERT INTO p VALUES (1)");
        await OnTargetAsync("INSERT INTO t VALUES (2); INSERT INTO child VALUES (3); INSERT INTO p VALUES (4)");

        await Run().CopyAsync([.. new[] { "t", "p" }.Select(table => new TableCopy(table) { Mode = TargetMode.Truncate })], cancellationToken: Stop);

        Assert.Equal(["(1)", "(3)"], await RowsAsync(TargetConnection, "SELECT * FROM t"));
        Assert.Equal(["(1)"], await RowsAsync(TargetConnection, "SELECT * FROM p"));
    }

    [Fact]
    public async Task CopyAsync_Truncate_EmptiesOnceAndNotOnResume()
    {
        await CreateAsync(Orders);
        await OnSourceAsync(Fill);
        await OnTargetAsync("INSERT INTO orders VALUES (1, 1, 'old', 0), (99999, 1, 'old', 0)");
        TableCopy[] tables = [new TableCopy("orders") { Mode = TargetMode.Truncate }];

        await Run(Small).CopyAsync(tables, cancellationToken: Stop);
        await AssertSameTableAsync("orders");
        await Run(Small).CopyAsync(tables, cancellationToken: Stop);

        await AssertSameTableAsync("orders");
    }

    [Fact]
    public async Task CopyAsync_Upsert_UpdatesAndInserts()
    {
        await NeedsVersionAsync(12, "a generated column");
        const string Ddl = "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text, b int DEFAULT 5, c int GENERATED ALWAYS AS (id * 2) STORED)";
        await CreateAsync(Ddl);
        await OnSourceAsync("INSERT INTO t (a, b) SELECT 'new ' || i, i FROM generate_series(1, 1000) i");
        await OnTargetAsync("INSERT INTO t (id, a, b) OVERRIDING SYSTEM VALUE VALUES (1, 'old', 0), (5000, 'stays', 1)");

        var report = await Run().CopyAsync([new TableCopy("t") { Mode = TargetMode.Upsert }], cancellationToken: Stop);

        Assert.Equal(1000, report.Rows);
        Assert.Equal(await RowsAsync(SourceConnection, "SELECT * FROM t"), await RowsAsync(TargetConnection, "SELECT * FROM t WHERE id <> 5000"));
        Assert.Equal("stays", await FromTargetAsync<string>("SELECT a FROM t WHERE id = 5000"));
    }
}
