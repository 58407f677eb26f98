using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Transforming;

/// <summary>A transformation that changes nothing changes nothing, of any type and at all of its ends.</summary>
public sealed class IdentityTests(ServerFixture fixture) : MigrationTest(fixture)
{
    // A type, and expressions for values of it.
    private static readonly (string Type, string[] Values)[] Zoo =
    [
        ("timestamp", ["'0001-01-01'", "'-infinity'", "'infinity'", "'9999-12-31 23:59:59.999999'", "'4713-01-01 BC'", "'294276-12-31 23:59:59.999999'", "'2024-02-29 12:00'"]),
        ("timestamptz", ["'0001-01-01 00:00+00'", "'-infinity'", "'infinity'", "'9999-12-31 23:59:59.999999+00'", "'4714-11-24 BC'", "'20000-01-01'"]),
        ("date", ["'0001-01-01'", "'9999-12-31'", "'infinity'", "'-infinity'", "'4714-11-24 BC'", "'5874897-12-31'"]),
        ("time", ["'00:00'", "'24:00'", "'23:59:59.999999'"]),
        ("timetz", ["'12:00:00.123456+05:30:15'", "'24:00:00+05'", "'00:00-15:59'", "'12:00+00'"]),
        ("interval", ["'1 mon 2 days 00:00:00.000001'", "'24:00:00'", "'1 day'", "'-1 day +25:00:00'", "'-178000000 years'", "'0'"]),
        ("numeric", ["('1' || repeat('0', 999))::numeric", "'NaN'", "1.500", "1.5000000000000000000000000000000000000", "-0.00", "79228162514264337593543950335", "1e-28", "1e-1000"]),
        ("numeric(12,4)", ["'NaN'", "1.5", "99999999.9999"]),
        ("float8", ["'NaN'", "'-0'", "'-infinity'", "5e-324", "0.1"]),
        ("float4", ["'NaN'", "1e-45", "3.4028235e38"]),
        ("money", ["'-92233720368547758.08'::numeric::money", "1::money"]),
        ("bit(1)", ["B'1'"]), ("bit(9)", ["B'101010101'"]), ("varbit", ["B''", "B'101'"]),
        ("char(5)", ["'a'", "''"]), ("bpchar", ["'a  '"]), ("varchar(9)", ["'a '", "'é'"]), ("\"char\"", ["'x'", "''"]), ("name", ["'n'"]), ("text", ["''", "'\\N'"]),
        ("json", ["'{ \"a\" :  1.0, \"a\":2}'"]), ("jsonb", ["'{\"a\":1.50}'", "'null'"]), ("xml", ["'<a/>'"]),
        ("int[]", ["'{1,NULL}'", "'[2:3]={1,2}'", "'{{1,2},{3,4}}'", "'{}'", "'{1,2}'"]),
        ("timestamp[]", ["'{0001-01-01,-infinity,NULL}'", "'{0001-01-01,-infinity}'"]), ("date[]", ["'{9999-12-31,infinity}'"]), ("numeric[]", ["'{NaN}'", "'{1.50}'"]),
        ("text[]", ["'{a,NULL,\"NULL\"}'", "'[0:0]={x}'"]), ("interval[]", ["'{1 day,24:00}'", "'{1 mon}'"]), ("bytea[]", ["'{\"\\\\x00ff\",NULL}'"]),
        ("int4range", ["'[1,5)'", "'empty'", "'(,)'"]), ("tsrange", ["'[-infinity,infinity]'", "'[0001-01-01,0001-01-01]'", "'(,)'"]), ("numrange", ["'[1.50,2]'", "'[1,NaN]'"]),
        ("daterange", ["'[0001-01-01,infinity)'", "'(,10000-01-01)'"]), ("int8range[]", ["'{\"[1,2)\",empty}'"]),
        ("comp", ["ROW(1, 'x', '0001-01-01')", "ROW(NULL, NULL, NULL)"]), ("comp[]", ["ARRAY[ROW(1, 'x', NULL)::comp, NULL]"]),
        ("mood", ["'a b'"]), ("public.\"Odd \"\" Type\"", ["'A'"]), ("mood[]", ["'{a b,NULL}'", "'[0:0]={a b}'"]), ("price", ["1.5"]), ("moment", ["'0001-01-01'", "'-infinity'"]), ("moments", ["'{0001-01-01}'"]),
        ("inet", ["'10.0.0.5/8'", "'10.0.0.5'", "'::1/64'"]), ("cidr", ["'10.0.0.0/8'"]), ("macaddr", ["'08:00:2b:01:02:03'"]), ("macaddr8", ["'08:00:2b:01:02:03:04:05'"]),
        ("tsvector", ["'a:1A,2B b'", "'x y'"]), ("tsquery", ["'a & !b:*A'", "'a <2> b'", "''"]), ("uuid", ["md5('x')::uuid"]), ("bytea", ["'\\x00ff'", "''"]), ("bool", ["true"]),
        ("point", ["'(1,NaN)'"]), ("path", ["'[(0,0),(1,1)]'", "'((0,0),(1,1))'"]), ("line", ["'{1,2,3}'"]), ("box", ["'(2,2),(1,1)'"]), ("polygon", ["'((0,0),(1,1))'"]),
        ("circle", ["'<(0,0),1>'"]), ("lseg", ["'[(0,0),(1,1)]'"]), ("oid", ["4294967295"]), ("txid_snapshot", ["'1:5:2'"]), ("pg_lsn", ["'16/B374D848'"]), ("regclass", ["'pg_class'"]),
        ("tid", ["'(7,1)'"]), ("int2vector", ["'1 2'"]), ("oidvector", ["'1 2'"]), ("int8", ["-9223372036854775808"]), ("int2", ["-32768"]),
    ];

    private const string Types = """
        CREATE TYPE comp AS (x int, t text, at timestamp); CREATE TYPE mood AS ENUM ('a b', 'c'); CREATE DOMAIN price AS numeric(10,2) NOT NULL;
        CREATE TYPE "Odd "" Type" AS ENUM ('A'); CREATE DOMAIN moment AS timestamp; CREATE DOMAIN moments AS date[];
        """;

    [Fact]
    public async Task TransformAsync_EveryTypeByItself_ArrivesAsItIs()
    {
        List<(string Table, string Type)> tables = [];
        List<string> ddl = [Types];
        List<string> rows = [];
        foreach (var (type, values) in Zoo)
        {
            // Each value alone too: with one that .NET has none for, the others come as text.
            string[] nothing = type == "price" ? [] : ["NULL"];
            foreach (var list in values.Select(static value => new[] { value }).Append([.. values, .. nothing]))
            {
                var table = $"t{tables.Count}";
                tables.Add((table, type));
                ddl.Add($"CREATE TABLE {table} (id int GENERATED ALWAYS AS IDENTITY, v {type})");
                rows.AddRange(list.Select(value => $"INSERT INTO {table} (v) SELECT ({value})::{type}"));
            }
        }

        await CreateAsync(string.Join("; ", ddl));
        await OnSourceAsync(string.Join("; ", rows));
        List<string> faults = [];
        foreach (var (table, type) in tables)
        {
            if (await TryAsync(table, type) is { } fault)
                faults.Add(fault);
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Fact]
    public async Task TransformAsync_SentinelsOfSeveralColumns_AreNotConfused()
    {
        await CreateAsync("CREATE TABLE t (id int PRIMARY KEY, a timestamp, b timestamp, tz timestamptz, d date)");
        await OnSourceAsync("""
            INSERT INTO t VALUES (1, '0001-01-01', '-infinity', '0001-01-01 00:00+00', '0001-01-01'), (2, '-infinity', '0001-01-01', 'infinity', '9999-12-31'),
                (3, NULL, '2024-01-01', '2024-01-01', 'infinity')
            """);
        string[] columns = ["id", "a", "b", "tz", "d"];

        await Run().TransformAsync(new TableCopy("t") { Columns = columns }, row => columns.Select((_, i) => (object?)row.GetValue(i)).ToArray(), columns,
            values => [values], cancellationToken: Stop);

        await AssertSameTableAsync("t");
        await OnTargetAsync("CREATE TABLE u (id int, x timestamp)");
        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run(id: $"{RunId}-2").TransformAsync(
            new TableCopy("t") { Target = new("public", "u"), Where = "id = 1" }, row => row.GetDateTime(1), ["x"], value => [[value]], cancellationToken: Stop));
        Assert.Contains("may be any of them", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TransformAsync_UnreadableValues_MayBeMixedWithMadeOnes()
    {
        await OnSourceAsync("CREATE TABLE t (id int PRIMARY KEY, n numeric); INSERT INTO t VALUES (1, 'NaN'), (2, 2)");
        await OnTargetAsync("CREATE TABLE t (id int PRIMARY KEY, n numeric, at date)");

        await Run().TransformAsync(new TableCopy("t") { Mode = TargetMode.Upsert }, row => (row.GetInt32(0), row.GetValue(1)), ["id", "n", "at"],
            row => [[row.Item1, row.Item1 == 1 ? row.Item2 : 2.50m, new DateOnly(2024, 1, row.Item1)]], cancellationToken: Stop);

        Assert.Equal(["(1,NaN,2024-01-01)", "(2,2.50,2024-01-02)"], await RowsAsync(TargetConnection, "SELECT * FROM t"));
    }

    private async Task<string?> TryAsync(string table, string type)
    {
        string[] columns = ["id", "v"];
        const string Settings = ";Options=-c extra_float_digits=3 -c IntervalStyle=postgres -c TimeZone=UTC";
        var sum = $"SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY id), '') FROM {table} t";
        try
        {
            await Run(id: $"{RunId}-{table}").TransformAsync(
                new TableCopy(table) { Columns = columns }, row => columns.Select((_, i) => row.IsDBNull(i) ? null : row.GetValue(i)).ToArray(), columns,
                values => [values], cancellationToken: Stop);
            var (here, there) = (await RowsAsync(SourceConnection + Settings, sum), await RowsAsync(TargetConnection + Settings, sum));
            return here.SequenceEqual(there) ? null : $"{type}: {here[0]} is {there[0]}";
        }
        catch (MigrationException e)
        {
            return $"{type}: {e.Message}";
        }
    }
}
