using System.Collections.Concurrent;
using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Transforming;

[Trait("Category", "Server")]
public sealed class TransformTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string Ddl = "CREATE TABLE t (id int PRIMARY KEY, a text)";
    private const string Fill = "INSERT INTO t SELECT i, 'a' || i FROM generate_series(1, 3000) i; ANALYZE t";
    private const string Made = "CREATE TABLE made (id bigint, part int, a text)";

    private static readonly TableCopy Table = new("t") { Target = TableName.Parse("made") };
    private static readonly string[] Columns = ["id", "part", "a"];
    private static readonly MigrationOptions Small = new() { PartitionBytes = 16 * 1024 };

    [Fact]
    public async Task TransformAsync_NoneOneOrManyRows_ArriveAsTheTargetsTypes()
    {
        await OnSourceAsync($"{Ddl}; {Fill}");
        await OnTargetAsync(Made);

        var report = await Run(Small).TransformAsync(Table, Read, Columns, Parts, cancellationToken: Stop);

        const string Expected = "SELECT id::bigint, part, upper(a) FROM t, generate_series(1, id % 3) part";
        Assert.Equal(await RowsAsync(SourceConnection, Expected), await RowsAsync(TargetConnection, "SELECT * FROM made"));
        Assert.Equal(3000, report.Rows);
        Assert.True(report.Bytes > 0 && report.Tables[0].Partitions > 3, $"{report}");
        var again = await Run(Small).TransformAsync(Table, Read, Columns, Parts, cancellationToken: Stop);
        Assert.Equal((0, report.Tables[0].Partitions), (again.Rows, again.PartitionsSkipped));
    }

    [Fact]
    public async Task TransformAsync_ColumnsAndWhere_AreWhatIsRead()
    {
        await OnSourceAsync($"{Ddl}; {Fill}");
        await OnTargetAsync(Made);
        var names = new ConcurrentBag<string>();

        await Run().TransformAsync(
            Table with { Columns = ["a", "id"], Where = "id <= 10" },
            reader =>
            {
                names.Add($"{reader.GetName(0)} {reader.GetName(1)} {reader.FieldCount}");
                return reader.GetInt32(1);
            },
            ["id"], id => [[id]], cancellationToken: Stop);

        Assert.Equal("a id 2", Assert.Single(names.Distinct()));
        Assert.Equal(10, await FromTargetAsync<long>("SELECT count(id) FROM made"));
    }

    [Fact]
    public async Task TransformAsync_ValuesOfManyTypes_AreWrittenAsTheColumnsTypes()
    {
        await OnSourceAsync("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
        await OnTargetAsync("""
            CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN price AS numeric(10,2) CHECK (VALUE > 0);
            CREATE TABLE made (a smallint, b bigint, c numeric, d float8, e mood, f jsonb, g uuid, h timestamptz, i date, j text[], k bytea, l price, m varchar(3),
                n interval, o bool, p int GENERATED ALWAYS AS IDENTITY, q xml, r inet, s text)
            """);

        await Run().TransformAsync(Table, reader => reader.GetInt32(0),
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s"],
            _ => [[(short)1, 2L, 3.5m, 4.5, "ok", """{"x": 1}""", Guid.Empty, new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), new DateOnly(2026, 1, 2),
                new[] { "x", null, "y" }, new byte[] { 0, 255 }, 6.5m, "abc", TimeSpan.FromMinutes(90), true, 77, "<a/>", System.Net.IPAddress.Loopback, DBNull.Value]],
            cancellationToken: Stop);

        Assert.Equal(
            """(1,2,3.5,4.5,ok,"{""x"": 1}",00000000-0000-0000-0000-000000000000,"2026-01-02 03:04:05+00",2026-01-02,"{x,NULL,y}","\\x00ff",6.50,abc,01:30:00,t,77,<a/>,127.0.0.1,)""",
            Assert.Single(await RowsAsync(TargetConnection + ";Timezone=UTC", "SELECT * FROM made")));
    }

    [Theory]
    [InlineData("wide", "Column id is bigint")]
    [InlineData("short", "2 values, and 3 columns are written: id, part, a")]
    [InlineData("throws", "InvalidDataException: no such thing")]
    public async Task TransformAsync_WhatDoesNotFit_IsToldWithItsPlace(string fault, string told)
    {
        await OnSourceAsync($"{Ddl}; {Fill}");
        await OnTargetAsync(Made);

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run(Small).TransformAsync(
            Table, Read, Columns,
            IEnumerable<object?[]> (row) => (row.Id, fault) switch
            {
                (1500, "wide") => [[Guid.Empty, 1, ""]],
                (1500, "short") => [[1L, 1]],
                (1500, _) => throw new InvalidDataException("no such thing"),
                _ => [[row.Id, 1, row.A]],
            },
            cancellationToken: Stop));

        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
        Assert.Equal(TableName.Parse("t"), failure.Table);
        Assert.Contains("\"id\"", failure.Partition, StringComparison.Ordinal);
        Assert.Equal(0, await FromTargetAsync<long>("SELECT count(*) FROM made WHERE id = 1500"));
        var report = await Run(Small).TransformAsync(Table, Read, Columns, row => [[row.Id, 1, row.A]], cancellationToken: Stop);
        Assert.Equal(3000, await FromTargetAsync<long>("SELECT count(DISTINCT id) FROM made"));
        Assert.Equal(3000, await FromTargetAsync<long>("SELECT count(*) FROM made"));
        Assert.True(report.Rows < 3000 || report.PartitionsSkipped == 0);
    }

    [Fact]
    public async Task TransformAsync_RowRefused_IsToldOrGoesToTheRejected()
    {
        await OnSourceAsync($"{Ddl}; {Fill}");
        await OnTargetAsync("CREATE TABLE made (id bigint, part int, a text CHECK (a <> 'A1501'))");

        var failure = await Assert.ThrowsAsync<MigrationException>(
            () => Run(Small).TransformAsync(Table, Read, Columns, Parts, cancellationToken: Stop));
        Assert.Contains("id = 1501", failure.Message, StringComparison.Ordinal);

        var report = await Run(Small, $"{RunId}-2").TransformAsync(
            Table with { BadRows = BadRows.Reject, Mode = TargetMode.Truncate }, Read, Columns, Parts, cancellationToken: Stop);

        Assert.Equal((2999, 1), (report.Rows, report.RejectedRows));
        Assert.Equal("(1501,a1501)", await FromTargetAsync<string>("SELECT \"row\" FROM pgpool_migration.rejected"));
    }

    [Fact]
    public async Task TransformAsync_Upsert_UpdatesAndInserts()
    {
        await OnSourceAsync($"{Ddl}; {Fill}");
        await OnTargetAsync("CREATE TABLE made (id bigint PRIMARY KEY, a text, b int DEFAULT 7); INSERT INTO made VALUES (1, 'old', 3), (9999, 'stays', 4)");

        await Run().TransformAsync(Table with { Mode = TargetMode.Upsert }, Read, ["a", "id"], row => [[row.A, row.Id]], cancellationToken: Stop);

        Assert.Equal(3001, await FromTargetAsync<long>("SELECT count(*) FROM made"));
        Assert.Equal(["(1,a1,3)", "(2,a2,7)", "(9999,stays,4)"], await RowsAsync(TargetConnection, "SELECT * FROM made WHERE id IN (1, 2, 9999)"));
    }

    [Fact]
    public async Task TransformAsync_Cancelled_EndsAndGoesOnLater()
    {
        await OnSourceAsync($"{Ddl}; {Fill}");
        await OnTargetAsync(Made);
        using var cancellation = new CancellationTokenSource();
        var mapped = 0;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Run(Small).TransformAsync(Table, Read, Columns, row =>
        {
            if (Interlocked.Increment(ref mapped) == 2000)
                cancellation.Cancel();
            return Parts(row);
        }, cancellationToken: cancellation.Token).WaitAsync(Eventually.Deadline, Stop));

        Assert.Equal((0, 0), (Source.GetStatistics().Leased, Target.GetStatistics().Leased));
        await Run(Small).TransformAsync(Table, Read, Columns, Parts, cancellationToken: Stop);
        Assert.Equal((3000, 3000), (await FromTargetAsync<long>("SELECT count(*) FROM made"), await FromTargetAsync<long>("SELECT count(DISTINCT (id, part)) FROM made")));
    }

    [Fact]
    public async Task TransformAsync_OtherColumnsUnderTheSameId_AreRefused()
    {
        await OnSourceAsync($"{Ddl}; {Fill}");
        await OnTargetAsync(Made);
        await Run().TransformAsync(Table, Read, Columns, Parts, cancellationToken: Stop);

        var failure = await Assert.ThrowsAsync<MigrationException>(
            () => Run().TransformAsync(Table, Read, ["id"], row => [[row.Id]], cancellationToken: Stop));
        Assert.Contains("target columns", failure.Message, StringComparison.Ordinal);

        failure = await Assert.ThrowsAsync<MigrationException>(
            () => Run(id: $"{RunId}-2").TransformAsync(Table, Read, ["id", "nonsense"], row => [[row.Id, 1]], cancellationToken: Stop));
        Assert.Contains("no column \"nonsense\"", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => Run().TransformAsync(Table, Read, ["id", "id"], row => [[row.Id]], cancellationToken: Stop));
    }

    private static Row Read(NpgsqlDataReader reader) => new(reader.GetInt32(0), reader.GetString(1));

    private static IEnumerable<object?[]> Parts(Row row) => Enumerable.Range(1, row.Id % 3).Select(part => new object?[] { (long)row.Id, part, row.A.ToUpperInvariant() });

    private sealed record Row(int Id, string A);
}
