using System.Globalization;
using PgPool.Migration.Partitions;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Partitions;

public sealed class PartitionerTests(ServerFixture fixture) : PartitionTest(fixture)
{
    // Enough rows for a few dozen blocks.
    private const int Rows = 3000;

    [Theory]
    [InlineData("bigint", "i - 1500")]
    [InlineData("bigint", "CASE i WHEN 1 THEN -9223372036854775808 WHEN 2 THEN 9223372036854775807 ELSE i * 1000000007::bigint END")]
    [InlineData("smallint", "i")]
    [InlineData("numeric(30, 10)", "CASE i WHEN 1 THEN 'NaN' ELSE (i - 500) / 7.0 END")]
    [InlineData("double precision", "CASE i WHEN 1 THEN 'NaN' WHEN 2 THEN '-Infinity' ELSE (i - 500) / 7::float8 END")]
    [InlineData("real", "i / 7.0")]
    [InlineData("text", "'it''s \\ \"ü\" €' || md5(i::text)")]
    [InlineData("text COLLATE \"C\"", "CASE i % 2 WHEN 0 THEN 'b' ELSE 'B' END || i")]
    [InlineData("text COLLATE \"any case\"", "CASE i % 2 WHEN 0 THEN 'b' ELSE 'B' END || i")]
    [InlineData("varchar(40)", "md5(i::text)")]
    [InlineData("char(12)", "'  k ' || i")]
    [InlineData("name", "md5(i::text)")]
    [InlineData("uuid", "md5(i::text)::uuid")]
    [InlineData("date", "CASE i WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' WHEN 3 THEN '0044-03-15 BC' ELSE '2020-01-01'::date + i END")]
    [InlineData("timestamptz", "CASE i WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE '1850-01-01 01:02:03.456789+00'::timestamptz + i * interval '20 days' END")]
    [InlineData("timestamp", "'2020-01-01'::timestamp + i * interval '1 minute 1 microsecond'")]
    [InlineData("time", "'00:00'::time + i * interval '10 seconds'")]
    [InlineData("timetz", "'00:00+02'::timetz + i * interval '10 seconds'")]
    [InlineData("interval", "(i - 1000) * interval '1 month -3 days 00:00:01.5'")]
    [InlineData("bytea", "decode(md5(i::text), 'hex')")]
    [InlineData("inet", "'10.0.0.0/8'::inet + i")]
    [InlineData("cidr", "('10.' || i % 200 || '.' || i / 200 || '.0/24')::cidr")]
    [InlineData("macaddr", "('08:00:2b:00:' || lpad(to_hex(i / 256), 2, '0') || ':' || lpad(to_hex(i % 256), 2, '0'))::macaddr")]
    [InlineData("bit(16)", "i::bit(16)")]
    [InlineData("bit varying", "i::bit(16)::varbit")]
    [InlineData("pg_lsn", "('0/' || to_hex(i))::pg_lsn")]
    [InlineData("oid", "i::oid")]
    [InlineData("\"Odd \"\"schema\"\"\".\"Positive \\ 'number'\"", "i")]
    [InlineData("\"Odd \"\"schema\"\"\".\"Code\"", "md5(i::text)")]
    public async Task Plan_KeyOfType_CoversEveryRowOnce(string type, string value)
    {
        if (type.Contains("any case", StringComparison.Ordinal))
        {
            await NeedsVersionAsync(12, "a collation that is not deterministic");
            await ExecuteAsync("CREATE COLLATION \"any case\" (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
        }

        await ExecuteAsync($""""
            CREATE SCHEMA "Odd ""schema""";
            CREATE DOMAIN "Odd ""schema"""."Positive \ 'number'" AS int CHECK (VALUE > 0);
            CREATE DOMAIN "Odd ""schema"""."Code" AS text COLLATE "C";
            CREATE TABLE t (id {type} PRIMARY KEY, filler text);
            INSERT INTO t SELECT {value}, repeat('x', 60) FROM generate_series(1, {Rows}) AS i
            """");
        var partitions = await PlanAsync(new("t") { PartitionBy = PartitionBy.Key });

        Assert.InRange(partitions.Count, 20, 80);
        Assert.All(partitions, partition => Assert.Equal(PartitionKind.Key, partition.Kind));
        foreach (var partition in partitions)
            Assert.InRange(await CountAsync(partition), 1, Rows / 8);
        await SplitsAsync(partitions[0]);
    }

    [Fact]
    public async Task Plan_KeyOfAnEnum_CutsBetweenItsValues()
    {
        await ExecuteAsync($"""
            CREATE SCHEMA "Odd"; CREATE TYPE "Odd"."Mood" AS ENUM ('so-so', 'it''s bad', 'GOOD');
            CREATE TABLE t (mood "Odd"."Mood", id int, filler text, PRIMARY KEY (mood, id));
            INSERT INTO t SELECT (enum_range(NULL::"Odd"."Mood"))[1 + i % 3], i, repeat('x', 60) FROM generate_series(1, {Rows}) i
            """);
        var partitions = await PlanAsync(new("t"));

        Assert.Equal(3, partitions.Count);
        Assert.All(partitions, partition => Assert.Equal(PartitionKind.Key, partition.Kind));
    }

    [Theory]
    [InlineData("int[]", "ARRAY[i]")]
    [InlineData("money", "i")]
    [InlineData("jsonb", "to_jsonb(i)")]
    [InlineData("int4range", "int4range(i, i + 1)")]
    [InlineData("pair", "ROW(i, i)::pair")]
    [InlineData("odd_code", "i::text")]
    public async Task Plan_KeyOfAnotherType_TakesBlocksAndRefusesKey(string type, string value)
    {
        await ExecuteAsync($"""
            CREATE TYPE pair AS (a int, b int); CREATE DOMAIN odd_code AS text COLLATE "C";
            CREATE TABLE t (id {type} {(type == "odd_code" ? "COLLATE \"POSIX\"" : "")} PRIMARY KEY, filler text);
            INSERT INTO t SELECT {value}, repeat('x', 60) FROM generate_series(1, {Rows}) i
            """);
        Assert.All(await PlanAsync(new("t")), partition => Assert.Equal(PartitionKind.Blocks, partition.Kind));

        var error = await Assert.ThrowsAsync<MigrationException>(() => PlanAsync(new("t") { PartitionBy = PartitionBy.Key }));
        Assert.Equal(new TableName("public", "t"), error.Table);
        Assert.Contains("PartitionBy.Blocks", error.Message, StringComparison.Ordinal);
        Assert.Contains("\"id\"", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_NoKey_TakesBlocksAndRefusesKey()
    {
        await FillAsync("t", "id bigint");
        var partitions = await PlanAsync(new("t") { Where = "id % 3 = 0 -- every third" });
        Assert.InRange(partitions.Count, 20, 80);
        Assert.All(partitions, partition => Assert.Equal(PartitionKind.Blocks, partition.Kind));
        await SplitsAsync(partitions[0] with { Upper = null, Lower = null });
        Assert.Null(await Partitioner.SplitAsync(Source, partitions[0], Stop));

        await Assert.ThrowsAsync<MigrationException>(() => PlanAsync(new("t") { PartitionBy = PartitionBy.Key }));
    }

    [Fact]
    public async Task Plan_OnePartitionAsLargeAsTheTable_IsWholeAndCanStillBeSplit()
    {
        await FillAsync("t", "id bigint PRIMARY KEY");
        var whole = Assert.Single(await PlanAsync(new("t") { Where = "id > 2000" }, 1L << 30));
        Assert.Equal(PartitionKind.Whole, whole.Kind);

        var (first, second) = await SplitsAsync(whole);
        Assert.Equal(PartitionKind.Key, first.Kind);
        Assert.InRange(await CountAsync(second) - await CountAsync(first), 0, 2);
    }

    [Theory]
    [InlineData(PartitionBy.Whole, false)]
    [InlineData(PartitionBy.Key, true)]
    [InlineData(PartitionBy.Auto, true)]
    public async Task Plan_WholeOrIndivisible_IsNeverCut(PartitionBy by, bool indivisible)
    {
        await FillAsync("t", "id bigint PRIMARY KEY");
        var whole = Assert.Single(await PlanAsync(new("t") { PartitionBy = by }, indivisible: indivisible));
        Assert.Equal(PartitionKind.Whole, whole.Kind);
        Assert.Null(await Partitioner.SplitAsync(Source, whole, Stop));
    }

    [Theory]
    [InlineData(PartitionBy.Auto)]
    [InlineData(PartitionBy.Key)]
    [InlineData(PartitionBy.Blocks)]
    public async Task Plan_EmptyTable_IsOnePartition(PartitionBy by)
    {
        await ExecuteAsync("CREATE TABLE t (id bigint PRIMARY KEY, note text)");
        var whole = Assert.Single(await PlanAsync(new("t") { PartitionBy = by }));
        Assert.Equal(PartitionKind.Whole, whole.Kind);
        Assert.Null(await Partitioner.SplitAsync(Source, whole, Stop));
    }

    [Fact]
    public async Task Plan_TableEmptiedByDelete_IsOnePartition()
    {
        await FillAsync("t", "id bigint PRIMARY KEY");
        await ExecuteAsync("DELETE FROM t");
        Assert.Single(await PlanAsync(new("t")));
    }

    [Theory]
    [InlineData(PartitionBy.Key)]
    [InlineData(PartitionBy.Blocks)]
    public async Task Plan_StaleStatistics_CoversEveryRowOnce(PartitionBy by)
    {
        await FillAsync("t", "id bigint PRIMARY KEY");
        await ExecuteAsync($"ANALYZE t; UPDATE t SET id = id + 1000000; INSERT INTO t SELECT -i, 'late' FROM generate_series(1, {Rows}) i");
        Assert.InRange((await PlanAsync(new("t") { PartitionBy = by })).Count, 20, 120);
    }

    [Fact]
    public async Task Plan_MoreThanAHundredPartitions_AreAllOfAboutTheSize()
    {
        await FillAsync("t", "id bigint PRIMARY KEY", 40_000);
        var partitions = await PlanAsync(new("t"), 16384);
        Assert.InRange(partitions.Count, 200, 400);
        Assert.InRange(partitions[0].Bytes, partitions[^1].Bytes, 2 * partitions[^1].Bytes + 1);
    }

    [Fact]
    public async Task Plan_OneKeyValueAlone_IsOnePartition()
    {
        await ExecuteAsync($"""
            CREATE TABLE t (tenant int, id int, filler text, PRIMARY KEY (tenant, id));
            INSERT INTO t SELECT 7, i, repeat('x', 60) FROM generate_series(1, {Rows}) i
            """);
        Assert.Null(await Partitioner.SplitAsync(Source, Assert.Single(await PlanAsync(new("t"))), Stop));
    }

    [Fact]
    public async Task Plan_OneKeyValueOfManyRows_IsAPartitionOfItsOwnWithItsShareOfBytes()
    {
        await ExecuteAsync($"""
            CREATE TABLE t (tenant int, id int, filler text, PRIMARY KEY (tenant, id));
            INSERT INTO t SELECT CASE WHEN i % 10 < 8 THEN 500 ELSE i / 3 END, i, repeat('x', 60) FROM generate_series(1, {Rows}) i
            """);
        var partitions = await PlanAsync(new("t"));
        Assert.True(partitions[0].Bytes > partitions[0].Relation.Bytes * 7 / 10);
        Assert.InRange(await CountAsync(partitions[0]), Rows * 8 / 10, Rows * 9 / 10);
        await SplitsAsync(partitions[0]);
    }

    [Theory]
    [InlineData(PartitionBy.Auto)]
    [InlineData(PartitionBy.Blocks)]
    public async Task Plan_PartitionedTableWithQuotedNames_CutsEachLeaf(PartitionBy by)
    {
        await NeedsVersionAsync(11, "a partition by hash");
        await ExecuteAsync($""""
            CREATE SCHEMA "My ""schema""";
            CREATE TABLE "My ""schema"""."Big table" ("The key" int PRIMARY KEY, filler text) PARTITION BY RANGE ("The key");
            CREATE TABLE "My ""schema"""."leaf 1" PARTITION OF "My ""schema"""."Big table" FOR VALUES FROM (0) TO (1000);
            CREATE TABLE "My ""schema"""."leaf 2" PARTITION OF "My ""schema"""."Big table" DEFAULT PARTITION BY HASH ("The key");
            CREATE TABLE "My ""schema"""."leaf 2a" PARTITION OF "My ""schema"""."leaf 2" FOR VALUES WITH (MODULUS 2, REMAINDER 0);
            CREATE TABLE "My ""schema"""."leaf 2b" PARTITION OF "My ""schema"""."leaf 2" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
            INSERT INTO "My ""schema"""."Big table" SELECT i, repeat('x', 60) FROM generate_series(1, {Rows}) i
            """");
        var partitions = await PlanAsync(new(new TableName("My \"schema\"", "Big table")) { PartitionBy = by, Where = "\"The key\" % 2 = 0" });
        Assert.Equal(3, partitions.Select(partition => partition.Relation.Name).Distinct().Count());
        Assert.True(partitions.Count > 20);
    }

    [Fact]
    public async Task Plan_InheritanceChildren_AreNotInIt()
    {
        await FillAsync("t", "id bigint PRIMARY KEY");
        await ExecuteAsync($"CREATE TABLE child () INHERITS (t); INSERT INTO child SELECT i, 'child' FROM generate_series(1, {Rows}) i");
        var rows = 0L;
        foreach (var partition in await Partitioner.PlanAsync(Source, await ReadAsync(new("t")), 8192, Stop))
            rows += await CountAsync(partition);
        Assert.Equal(Rows, rows);
    }

    [Fact]
    public async Task Split_AgainAndAgain_EndsAtSingleKeys()
    {
        await FillAsync("t", "id text PRIMARY KEY", 40);
        var whole = Assert.Single(await PlanAsync(new("t"), 1L << 20));
        List<Partition> partitions = [];
        await SplitAllAsync(whole);

        Assert.Equal(40, partitions.Count);
        await CoversAsync(whole.Table.Copy, partitions);

        async Task SplitAllAsync(Partition partition)
        {
            if (await Partitioner.SplitAsync(Source, partition, Stop) is not var (first, second))
            {
                partitions.Add(partition);
                return;
            }

            await SplitAllAsync(first);
            await SplitAllAsync(second);
        }
    }

    private async Task<(Partition First, Partition Second)> SplitsAsync(Partition partition)
    {
        var halves = await Partitioner.SplitAsync(Source, partition, Stop);
        var (first, second) = Assert.NotNull(halves);
        Assert.Equal((partition.Lower, partition.Upper, first.Upper), (first.Lower, second.Upper, second.Lower));
        Assert.Equal(partition.Bytes, first.Bytes + second.Bytes);
        var (all, left, right) = (await CountAsync(partition), await CountAsync(first), await CountAsync(second));
        Assert.Equal(all, left + right);
        Assert.True(left > 0 && right > 0, string.Create(CultureInfo.InvariantCulture, $"{left} and {right} rows"));
        return (first, second);
    }

    private Task FillAsync(string table, string key, int rows = Rows) => ExecuteAsync(
        $"CREATE TABLE {table} ({key}, filler text); INSERT INTO {table} SELECT i, repeat('x', 60) FROM generate_series(1, {rows}) i");
}
