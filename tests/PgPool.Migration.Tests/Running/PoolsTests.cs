using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>Runs and the pools that they rent from; tables that need each other.</summary>
public sealed class PoolsTests(ServerFixture fixture) : MigrationTest(fixture)
{
    [Fact]
    public async Task CopyAsync_RunsInOppositeDirections_DoNotWaitForEachOther()
    {
        await CreateAsync("CREATE TABLE here (id int PRIMARY KEY); CREATE TABLE there (id int PRIMARY KEY)");
        await OnSourceAsync("INSERT INTO here SELECT generate_series(1, 1000)");
        await OnTargetAsync("INSERT INTO there SELECT generate_series(1, 1000)");
        await using var left = SourcePool(2);
        await using var right = TargetPool(2);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => i % 2 == 0
            ? new MigrationRun($"{RunId}-{i}", left, right).CopyAsync([new TableCopy("here") { Mode = TargetMode.Upsert }], cancellationToken: Stop)
            : new MigrationRun($"{RunId}-{i}", right, left).CopyAsync([new TableCopy("there") { Mode = TargetMode.Upsert }], cancellationToken: Stop)))
            .WaitAsync(TestSupport.Eventually.Deadline, Stop);

        await AssertSameTableAsync("here");
        await AssertSameTableAsync("there");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task CopyAsync_OnePoolIsSourceAndTarget_Copies(int size)
    {
        await OnSourceAsync("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE copy (id int); INSERT INTO t SELECT generate_series(1, 3000)");
        await using var pool = SourcePool(size);

        var report = await new MigrationRun(RunId, pool, pool, new() { PartitionBytes = 16384 })
            .CopyAsync([new TableCopy("t") { Target = TableName.Parse("copy") }], cancellationToken: Stop);

        Assert.Equal(3000, report.Rows);
        Assert.Equal(await RowsAsync(SourceConnection, "SELECT * FROM t"), await RowsAsync(SourceConnection, "SELECT * FROM copy"));
        Assert.Equal(0, pool.GetStatistics().Leased);
    }

    [Fact]
    public async Task CopyAsync_PoolForLessThanOneWorker_IsRefused()
    {
        await OnSourceAsync("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE copy (id int)");
        await using var pool = SourcePool(1);

        var failure = await Assert.ThrowsAsync<MigrationException>(() => new MigrationRun(RunId, pool, pool)
            .CopyAsync([new TableCopy("t") { Target = TableName.Parse("copy") }], cancellationToken: Stop));

        Assert.Contains("Raise its MaxSize to 2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CopyAsync_DegreeBeyondThePools_TakesWhatTheyHave()
    {
        await CreateAsync("CREATE TABLE t (id int PRIMARY KEY)");
        await OnSourceAsync("INSERT INTO t SELECT generate_series(1, 3000)");

        await Run(new() { Degree = 100, PartitionBytes = 8192 }).CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        await AssertSameTableAsync("t");
        Assert.Equal((3, 2), (Source.GetStatistics().Opened, Target.GetStatistics().Opened));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CopyAsync_ForeignKeys_ParentsComeFirstOrNobodyLooks(bool disableTriggers)
    {
        await CreateAsync("""
            CREATE TABLE line (id int PRIMARY KEY, order_id int);
            CREATE TABLE "order" (id int PRIMARY KEY, customer_id int);
            CREATE TABLE customer (id int PRIMARY KEY, referred_by int REFERENCES customer);
            ALTER TABLE line ADD FOREIGN KEY (order_id) REFERENCES "order";
            ALTER TABLE "order" ADD FOREIGN KEY (customer_id) REFERENCES customer
            """);
        await OnSourceAsync("""
            INSERT INTO customer SELECT i, 2001 - i FROM generate_series(1, 2000) i;
            INSERT INTO "order" SELECT i, 2001 - i FROM generate_series(1, 2000) i;
            INSERT INTO line SELECT i, 1 + i % 2000 FROM generate_series(1, 6000) i
            """);

        var report = await Run(new() { PartitionBytes = 8192, DisableTriggers = disableTriggers })
            .CopyAsync([new TableCopy("line"), new TableCopy("\"order\""), new TableCopy("customer")], cancellationToken: Stop);

        Assert.Equal((10000, 0), (report.Rows, report.Retries));
        foreach (var table in new[] { "line", "\"order\"", "customer" })
            await AssertSameTableAsync(table);
        await using var lease = await Target.RentAsync(Stop);
        Assert.Equal("origin", await ScalarAsync<string>(lease, "SHOW session_replication_role"));
    }
}
