using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Catalogs;

[Trait("Category", "Server")]
public sealed class DiscoverTests(ServerFixture fixture) : MigrationTest(fixture)
{
    [Fact]
    public async Task DiscoverAsync_AllSchemas_FindsOrdinaryAndPartitionedTablesLargestFirst()
    {
        await OnSourceAsync("""
            CREATE SCHEMA "Other"; CREATE SCHEMA pgpool_migration; CREATE EXTENSION hstore;
            CREATE TABLE small (id int); CREATE TABLE big (id int, a text); INSERT INTO big SELECT i, repeat('x', 100) FROM generate_series(1, 1000) i;
            CREATE TABLE "Other"."Table 1" (id int); INSERT INTO "Other"."Table 1" SELECT generate_series(1, 1000);
            CREATE TABLE parted (id int, a text) PARTITION BY RANGE (id);
            CREATE TABLE part1 PARTITION OF parted FOR VALUES FROM (0) TO (1001); CREATE TABLE part2 PARTITION OF parted FOR VALUES FROM (1001) TO (2001);
            INSERT INTO parted SELECT i, repeat('x', 100) FROM generate_series(1, 2000) i;
            CREATE TABLE child (b int) INHERITS (small);
            CREATE TABLE pgpool_migration.runs (id int); CREATE VIEW v AS SELECT 1 AS x; CREATE MATERIALIZED VIEW m AS SELECT 1 AS x;
            CREATE TABLE owned (id int); ALTER EXTENSION hstore ADD TABLE owned
            """);

        var found = await MigrationRun.DiscoverAsync(Source, cancellationToken: Stop);

        Assert.Equal(
            ["\"public\".\"parted\"", "\"public\".\"big\"", "\"Other\".\"Table 1\"", "\"public\".\"child\"", "\"public\".\"small\""],
            found.Select(table => table.Source.ToString()));
        Assert.All(found, table => Assert.Equal(new TableCopy(table.Source), table));
    }

    [Fact]
    public async Task DiscoverAsync_GivenSchemas_FindsTheirs()
    {
        await OnSourceAsync("CREATE SCHEMA \"Other\"; CREATE TABLE t (id int); CREATE TABLE \"Other\".t (id int)");

        var found = await MigrationRun.DiscoverAsync(Source, ["Other"], Stop);
        Assert.Equal(new TableName("Other", "t"), Assert.Single(found).Source);
        Assert.Empty(await MigrationRun.DiscoverAsync(Source, [], Stop));

        var failure = await Assert.ThrowsAsync<MigrationException>(() => MigrationRun.DiscoverAsync(Source, ["Other", "other"], Stop));
        Assert.Contains("no schema \"other\"", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => MigrationRun.DiscoverAsync(Source, [" "], Stop));
    }

    [Fact]
    public async Task DiscoverAsync_WhatItFinds_CanBeCopied()
    {
        await NeedsVersionAsync(11, "the primary key of a partitioned table");
        await CreateAsync("""
            CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (5000);
            CREATE TABLE base (id int); CREATE TABLE child (more int) INHERITS (base)
            """);
        await OnSourceAsync("INSERT INTO parted SELECT generate_series(1, 3000); INSERT INTO base VALUES (1), (2); INSERT INTO child VALUES (3, 4)");

        var tables = await MigrationRun.DiscoverAsync(Source, cancellationToken: Stop);
        var report = await Run(new() { PartitionBytes = 8192 }).CopyAsync(tables, cancellationToken: Stop);

        Assert.Equal(3003, report.Rows);
        foreach (var table in new[] { "parted", "ONLY base", "child" })
            await AssertSameTableAsync(table);
        Assert.True((await Run().VerifyAsync(tables, cancellationToken: Stop)).Matches);
    }
}
