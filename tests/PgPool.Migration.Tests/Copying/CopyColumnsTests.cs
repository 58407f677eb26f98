using Npgsql;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

/// <summary>Columns that differ between the sides: in order, in name, in type, in who makes their values.</summary>
public sealed class CopyColumnsTests(ServerFixture fixture) : MigrationTest(fixture)
{
    // The source's type, the target's, values, and whether binary will do.
    private static readonly (string From, string To, string Values, bool IsBinary)[] Conversions =
    [
        ("smallint", "bigint", "(-32768), (32767)", true),
        ("int", "bigint", "(-2147483648), (2147483647)", true),
        ("bigint", "int", "(-2147483648), (2147483647)", true),
        ("bigint", "numeric", "(9223372036854775807)", true),
        ("bigint", "double precision", "(9007199254740993)", true),
        ("numeric", "double precision", "('NaN'), (1.1)", true),
        ("real", "double precision", "('-0'), (0.1)", true),
        ("int", "text", "(7)", true),
        ("varchar(10)", "text", "('abc')", true),
        ("text", "varchar(3)", "('abc'), ('')", true),
        ("char(5)", "text", "('ab')", true),
        ("text", "char(5)", "('ab')", true),
        ("date", "timestamp", "('2024-02-29'), ('infinity')", true),
        ("timestamp", "timestamptz", "('2024-02-29 12:00')", true),
        ("timestamp", "date", "('2024-02-29 12:00')", true),
        ("time", "interval", "('12:00')", true),
        ("json", "jsonb", "('{\"a\": 1}')", true),
        ("uuid", "text", "('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')", true),
        ("inet", "cidr", "('10.1.2.3')", true),
        ("mood", "text", "('sad')", true),
        ("positive", "int", "(7)", true),
        ("int", "positive", "(7)", true),
        ("positive", "bigint", "(7)", true),
        ("int[]", "bigint[]", "('{1,NULL}'), ('{{1},{2}}')", true),
        ("numeric(10,2)", "numeric(10,1)", "(1.25)", true),
        ("timestamp(6)", "timestamp(0)", "('2024-01-01 00:00:00.6')", true),
        ("bit(3)", "varbit", "(B'101')", true),
        ("regclass", "regclass", "('pg_class')", false),
    ];

    [Fact]
    public async Task CopyAsync_OtherTypes_ArriveAsAnAssignmentWouldHaveThem()
    {
        await CreateAsync("CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN positive AS int CHECK (VALUE > 0)");
        await OnSourceAsync(string.Join(';', Conversions.Select((c, i) => $"CREATE TABLE t{i} (v {c.From}); INSERT INTO t{i} VALUES (NULL), {c.Values}")));
        await OnTargetAsync(string.Join(';', Conversions.Select((c, i) => $"CREATE TABLE t{i} (v {c.To})")));

        await Run().CopyAsync(Conversions.Select((_, i) => new TableCopy($"t{i}")), cancellationToken: Stop);

        foreach (var (i, conversion) in Conversions.Index())
            await AssertSameAsync($"SELECT v::{conversion.To} FROM t{i}");
    }

    [Fact]
    public async Task CopyAsync_GeneratedIdentityDroppedAndQuotedColumns_AreMatchedByName()
    {
        await NeedsVersionAsync(12, "a generated column");
        const string Odd = "\"Mixed Case\" text, \"select\" int, \"a\"\"b\\\" int, \"日本\" text";
        await OnSourceAsync($"""
            CREATE TABLE "T 1" (gone int, id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {Odd}, twice int GENERATED ALWAYS AS (id * 2) STORED, plain int);
            ALTER TABLE "T 1" DROP COLUMN gone;
            INSERT INTO "T 1" ("Mixed Case", "select", "a""b\", "日本", plain) SELECT 'x' || i, i, i + 1, 'y' || i, -i FROM generate_series(1, 100) i
            """);
        await OnTargetAsync($"""
            CREATE TABLE "T 1" (plain int, twice int, gone_too int, {Odd}, extra int DEFAULT 5, thrice int GENERATED ALWAYS AS (id * 3) STORED,
                id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
            ALTER TABLE "T 1" DROP COLUMN gone_too
            """);

        var report = await Run().CopyAsync([new TableCopy(new TableName("public", "T 1"))], cancellationToken: Stop);

        Assert.Equal(100, report.Rows);
        await AssertSameAsync("""SELECT id, "Mixed Case", "select", "a""b\", "日本", twice, plain FROM "T 1" """);
        Assert.Equal(100, await FromTargetAsync<long>("""SELECT count(*) FROM "T 1" WHERE extra = 5 AND thrice = id * 3"""));
    }

    [Fact]
    public async Task CopyAsync_GeneratedInBoth_IsGeneratedByTheTarget()
    {
        await NeedsVersionAsync(12, "a generated column");
        await OnSourceAsync("CREATE TABLE t (id int, v int GENERATED ALWAYS AS (id * 2) STORED); INSERT INTO t VALUES (1), (2)");
        await OnTargetAsync("CREATE TABLE t (id int, v int GENERATED ALWAYS AS (id * 3) STORED)");

        await Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        Assert.Equal(["(1,3)", "(2,6)"], await RowsAsync(TargetConnection, "SELECT * FROM t"));
    }

    [Fact]
    public async Task CopyAsync_SettingsOfThePools_DoNotChangeValues()
    {
        const string Ddl = "CREATE TABLE t (d date, i interval, f float8, b bytea, ts timestamptz, r regtype)";
        await CreateAsync(Ddl);
        await OnSourceAsync(@"INSERT INTO t VALUES ('2024-02-03', '1 day -02:00', 0.1::float8 + 0.2, '\x5c00', '2024-07-01 12:00+02', 'int')");
        Source = Pool(new NpgsqlConnectionStringBuilder(SourceConnection)
        {
            Options = "-c datestyle=sql,dmy -c intervalstyle=sql_standard -c extra_float_digits=-5 -c bytea_output=escape -c timezone=Asia/Tokyo",
        }.ConnectionString, 3);

        await Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        await AssertSameTableAsync("t");
    }
}
