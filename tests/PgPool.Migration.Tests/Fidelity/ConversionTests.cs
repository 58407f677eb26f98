using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Fidelity;

/// <summary>Between types that differ, a value arrives as INSERT … SELECT would have it, and verification takes it for the same.</summary>
public sealed class ConversionTests(ServerFixture fixture) : MigrationTest(fixture)
{
    // Made in both databases; in the target as the second says.
    private static readonly (string Source, string Target)[] Ddl =
    [
        ("CREATE DOMAIN price AS numeric", "CREATE DOMAIN price AS numeric(10,2)"),
        ("CREATE DOMAIN moment AS timestamptz", "CREATE DOMAIN moment AS timestamptz(0)"),
        ("CREATE TYPE amount AS (n numeric, w varchar)", "CREATE TYPE amount AS (n numeric(10,2), w varchar(3))"),
        ("CREATE TYPE wider AS (i int, t timestamp, s text)", "CREATE TYPE wider AS (t timestamptz, s char(5), i price)"),
        ("CREATE TYPE geo AS (lat float8, lon float8)", "CREATE TYPE geo AS (lon float8, lat float8)"),
        ("CREATE TYPE place AS (name text, at geo)", "CREATE TYPE place AS (name text, at geo)"),
        ("CREATE DOMAIN spot AS geo", "CREATE DOMAIN spot AS geo"),
        ("CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy')", "CREATE TYPE mood AS ENUM ('happy', 'new', 'so so', 'sad')"),
        ("CREATE DOMAIN int8s AS int", "CREATE DOMAIN int8s AS bigint"),
        ("CREATE TYPE prices AS RANGE (subtype = price)", "CREATE TYPE prices AS RANGE (subtype = price)"),
    ];

    // The source's type, the target's, the source's values, and what is to come of them, blanks as "_" without NULL.
    private static readonly (string From, string To, string Values, string Arrived)[] Conversions =
    [
        ("price", "price", "('5'), ('5.005'), ('NaN'), (NULL)", "5.00 5.01 NaN"),
        ("price[]", "price[]", "('{5,NULL}'), ('[2:2]={1.234}')", "{5.00,NULL} [2:2]={1.23}"),
        ("prices", "prices", "('[5,6]'), ('empty'), ('(,1]')", "[5.00,6.00] empty (,1.00]"),
        ("moment", "moment", "('2024-01-01 00:00:00.6+00'), ('infinity')", "2024-01-01_00:00:01+00 infinity"),
        ("amount", "amount", "('(5,abc)'), ('(,\"ab  \")'), (NULL)", "(5.00,abc) (,\"ab_\")"),
        ("amount[]", "amount[]", "('{\"(5,abc)\",NULL}')", "{\"(5.00,abc)\",NULL}"),
        ("wider", "wider", "('(1,2024-07-01 12:00,ab)'), ('(,,)'), (NULL)", "(\"2024-07-01_16:00:00+00\",\"ab___\",1.00) (,,)"),
        ("geo", "geo", "('(1,101)'), ('(,2)'), (NULL), ('(,)')", "(101,1) (2,) (,)"),
        ("spot", "spot", "('(1,101)'), (NULL)", "(101,1)"),
        ("place", "place", "('(here,\"(1,101)\")'), ('(there,)')", "(here,\"(101,1)\") (there,)"),
        ("mood", "mood", "('sad'), ('happy')", "sad happy"),
        ("mood[]", "mood[]", "('{sad,NULL}')", "{sad,NULL}"),
        ("mood[]", "text[]", "('{sad,so so}')", "{sad,\"so_so\"}"),
        ("int8s", "int8s", "(7)", "7"),
        ("int[]", "int8s[]", "('{7,NULL}'), ('[-1:0]={1,2}')", "{7,NULL} [-1:0]={1,2}"),
        ("interval", "interval day", "('1 day 02:03:04')", "1_day"),
        ("interval", "interval year to month", "('1 year 2 mons 3 days')", "1_year_2_mons"),
        ("interval", "interval(1)", "('1.26 seconds')", "00:00:01.3"),
        ("text[]", "char(5)[]", "('{a,bb,NULL}'), ('[0:0]={\"c  \"}')", "{\"a____\",\"bb___\",NULL} [0:0]={\"c____\"}"),
        ("text", "char(5)", "('a'), ('b    '), ('c         ')", "a____ b____ c____"),
        ("char(5)", "char(7)", "('a')", "a______"),
        ("char(5)", "text", "('a')", "a"),
        ("text", "varchar(3)", "('abc  '), ('a '), (' ')", "abc a_ _"),
        ("text[]", "varchar(3)[]", "('{\"abc  \",NULL}')", "{abc,NULL}"),
        ("numeric", "numeric(10,2)", "(5), (1.005), ('NaN')", "5.00 1.01 NaN"),
        ("numeric[]", "numeric(10,1)[]", "('{{5},{1.26}}')", "{{5.0},{1.3}}"),
        ("int", "numeric(10,2)", "(5)", "5.00"),
        ("bigint", "real", "(16777217)", "1.6777216e+07"),
        ("numeric", "bigint", "(2.5), (3.5)", "3 4"),
        ("timestamp", "timestamptz", "('2024-07-01 12:00'), ('infinity')", "2024-07-01_16:00:00+00 infinity"),
        ("timestamptz", "timestamp", "('2024-07-01 12:00+00'), ('2024-01-01 12:00+00')", "2024-07-01_08:00:00 2024-01-01_07:00:00"),
        ("timestamptz", "date", "('2024-07-01 03:00+00')", "2024-06-30"),
        ("date", "timestamptz", "('2024-07-01')", "2024-07-01_04:00:00+00"),
        ("timestamptz", "text", "('2024-07-01 12:00+00')", "2024-07-01_08:00:00-04"),
        ("timestamp[]", "timestamptz[]", "('{2024-07-01 12:00,NULL}')", "{\"2024-07-01_16:00:00+00\",NULL}"),
        ("timestamp(6)", "timestamp(0)", "('2024-01-01 00:00:00.6')", "2024-01-01_00:00:01"),
        ("timestamptz", "timestamptz(3)", "('2024-01-01 00:00:00.6789+00')", "2024-01-01_00:00:00.679+00"),
        ("boolean", "text", "(true)", "true"),
        ("inet", "text", "('10.0.0.1')", "10.0.0.1/32"),
        ("json", "jsonb", "('{\"b\" : 1, \"a\":2, \"b\":3}')", "{\"a\":_2,_\"b\":_3}"),
        ("xml", "text", "('<?xml version=\"1.0\"?><a/>')", "<?xml_version=\"1.0\"?><a/>"),
        ("regtype", "text", "('mood')", "public.mood"),
        ("bit(3)", "varbit(5)", "(B'101')", "101"),
    ];

    [Theory]
    [InlineData("Europe/Berlin")] // the target's counts
    [InlineData("America/New_York")]
    public async Task CopyAsync_OtherTypes_ArriveAsAssignedAndCompareAsTheSame(string sourceZone)
    {
        await OnSourceAsync($"{AlterDatabase("TimeZone", sourceZone)}; {string.Join(';', Ddl.Select(static ddl => ddl.Source))}");
        await OnTargetAsync($"{AlterDatabase("TimeZone", "America/New_York")}; {string.Join(';', Ddl.Select(static ddl => ddl.Target))}");
        await OnSourceAsync(string.Join(';', Conversions.Select(static (c, i) =>
            $"CREATE TABLE t{i} (id int GENERATED ALWAYS AS IDENTITY, v {c.From}); INSERT INTO t{i} (v) VALUES {c.Values}")));
        await OnTargetAsync(string.Join(';', Conversions.Select(static (c, i) => $"CREATE TABLE t{i} (id int, v {c.To})")));
        TableCopy[] tables = [.. Conversions.Select((_, i) => new TableCopy($"t{i}"))];

        await Run().CopyAsync(tables, cancellationToken: Stop);
        var report = await Run().VerifyAsync(tables, cancellationToken: Stop);

        var arrived = new List<string?>();
        for (var i = 0; i < tables.Length; i++)
        {
            arrived.Add(await FromTargetAsync<string?>($"""
                SET search_path = ''; SET TimeZone = 'UTC';
                SELECT string_agg(CASE WHEN v IS DISTINCT FROM NULL THEN replace(format('%s', v), ' ', '_') END, ' ' ORDER BY id) FROM public.t{i}
                """));
        }

        Assert.Equal(Conversions.Select(static c => (c.From, c.To, c.Arrived, true)), Conversions.Select((c, i) => (c.From, c.To, arrived[i] ?? "", report.Tables[i].Matches)));
    }

    private static string AlterDatabase(string setting, string value) =>
        $"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting} = %L', current_database(), '{value}'); END $$";
}
