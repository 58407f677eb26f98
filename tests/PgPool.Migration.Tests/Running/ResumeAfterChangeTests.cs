using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>Done stays done, and going on is always possible: by the cure of what stopped a run, and whatever became of the source meanwhile.</summary>
public sealed class ResumeAfterChangeTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string Fill = "INSERT INTO t SELECT i, CASE WHEN i = 4000 THEN 'Llanfairpwllgwyngyll' ELSE 'Rome' END, repeat('x', 100) FROM generate_series(1, 5000) i; ANALYZE t";

    private static readonly TableCopy T = new("t");
    private static readonly MigrationOptions Small = new() { PartitionBytes = 32 * 1024, Degree = 1 };

    [Theory]
    [InlineData("ALTER TABLE t ALTER city TYPE varchar(50)", BadRows.Fail, 5000)]
    [InlineData("ALTER TABLE t ALTER city TYPE text, ALTER pad DROP NOT NULL", BadRows.Fail, 5000)]
    [InlineData("", BadRows.Reject, 4999)]
    public async Task CopyAsync_AfterTheCureOfABadRow_GoesOn(string cure, BadRows badRows, int rows)
    {
        await OnSourceAsync($"CREATE TABLE t (id int PRIMARY KEY, city text, pad text NOT NULL); {Fill}");
        await OnTargetAsync("CREATE TABLE t (id int PRIMARY KEY, city varchar(10), pad text NOT NULL)");
        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run(Small).CopyAsync([T], cancellationToken: Stop));
        Assert.Contains("id = 4000", failure.Message, StringComparison.Ordinal);
        var done = await FromTargetAsync<long>("SELECT count(*) FROM t");
        await OnTargetAsync($"{cure};");

        var report = await Run(Small with { MaxAttempts = 9 }).CopyAsync([T with { BadRows = badRows }], cancellationToken: Stop);

        Assert.Equal((rows - done, 5000 - rows), (report.Rows, report.RejectedRows));
        Assert.Equal((rows, rows), (await FromTargetAsync<long>("SELECT count(*) FROM t"), await FromTargetAsync<long>("SELECT count(DISTINCT id) FROM t")));
    }

    // The key by which ranges were cut keeps its order.
    [Theory]
    [InlineData("ALTER TABLE t ALTER id TYPE bigint")]
    [InlineData("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (pad, id)")]
    [InlineData("ALTER TABLE t DROP CONSTRAINT t_pkey")]
    [InlineData("ALTER TABLE t RENAME CONSTRAINT t_pkey TO other; ALTER TABLE t ALTER city TYPE varchar(200)")]
    public async Task CopyAsync_SourceAlteredOnTheWay_GoesOnInTheOldOrder(string change)
    {
        await StopHalfwayAsync();
        await OnSourceAsync(change);
        await OnTargetAsync("ALTER TABLE t ALTER id TYPE bigint, ALTER city TYPE text");

        await Run(Small).CopyAsync([T], cancellationToken: Stop);

        Assert.Equal((5000, 5000), (await FromTargetAsync<long>("SELECT count(*) FROM t"), await FromTargetAsync<long>("SELECT count(DISTINCT id) FROM t")));
    }

    [Theory]
    [InlineData("ALTER TABLE t ALTER id TYPE text", "was integer , is text")]
    [InlineData("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ALTER id DROP NOT NULL", "may be NULL")]
    [InlineData("ALTER TABLE t ADD z int", "Columns")]
    [InlineData("ALTER TABLE t DROP COLUMN pad", "columns of \"public\".\"t\": was")]
    public async Task CopyAsync_SourceAlteredSoThatDoneCannotBeTold_SaysWhatChanged(string change, string told)
    {
        await StopHalfwayAsync();
        await OnSourceAsync(change);
        await OnTargetAsync("ALTER TABLE t ALTER id TYPE text, ALTER city TYPE text; ALTER TABLE t ADD z int");
        var rows = await FromTargetAsync<long>("SELECT count(*) FROM t");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run(Small).CopyAsync([T], cancellationToken: Stop));

        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
        Assert.Equal(rows, await FromTargetAsync<long>("SELECT count(*) FROM t"));
        Assert.Equal((0, 0), (Source.GetStatistics().Leased, Target.GetStatistics().Leased));
        if (change.Contains("ADD z", StringComparison.Ordinal))
        {
            await Run(Small).CopyAsync([T with { Columns = ["id", "city", "pad"] }], cancellationToken: Stop);
            Assert.Equal((5000, 5000), (await FromTargetAsync<long>("SELECT count(*) FROM t"), await FromTargetAsync<long>("SELECT count(DISTINCT id) FROM t")));
        }
    }

    [Fact]
    public async Task CopyAsync_TableThatIsDoneIsDropped_TheOthersGoOn()
    {
        await CreateAsync("CREATE TABLE small (id int)");
        await OnSourceAsync("INSERT INTO small VALUES (1)");
        await StopHalfwayAsync(new TableCopy("small"));
        await OnSourceAsync("DROP TABLE small");
        await OnTargetAsync("ALTER TABLE t ALTER city TYPE text; UPDATE pgpool_migration.partitions SET done_at = now() WHERE source_table LIKE '%small%'");

        await Run(Small).CopyAsync([T], cancellationToken: Stop);

        Assert.Equal(5000, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    private async Task StopHalfwayAsync(params TableCopy[] others)
    {
        await OnSourceAsync($"CREATE TABLE t (id int PRIMARY KEY, city text, pad text NOT NULL); {Fill}");
        await OnTargetAsync("CREATE TABLE t (id int PRIMARY KEY, city varchar(10), pad text)");
        await Assert.ThrowsAsync<MigrationException>(() => Run(Small).CopyAsync([T, .. others], cancellationToken: Stop));
        Assert.InRange(await FromTargetAsync<long>("SELECT count(*) FROM t"), 1, 4999);
    }
}
