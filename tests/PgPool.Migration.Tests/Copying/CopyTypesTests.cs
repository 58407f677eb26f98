using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

/// <summary>Values of every type arrive as they are, in either format, each type in a table of its own.</summary>
[Trait("Category", "Server")]
public sealed class CopyTypesTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string UserTypes = """
        CREATE TYPE mood AS ENUM ('sad', 'so so', 'it''s "fine"');
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE DOMAIN moods AS mood[] NOT NULL;
        CREATE TYPE pair AS (a int, b text, m mood);
        CREATE DOMAIN good_pair AS pair CHECK ((VALUE).a > 0);
        CREATE TYPE nested AS (p pair, ps pair[], d positive);
        CREATE TYPE floats AS RANGE (subtype = float8);
        CREATE SCHEMA "Other schema"; CREATE TYPE "Other schema"."Of (mine)" AS ENUM ('x');
        CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION cube; CREATE EXTENSION seg; CREATE EXTENSION isn;
        CREATE EXTENSION intarray
        """;

    // A type, and its values as SQL; NULL goes with each.
    private static readonly (string Type, string[] Values)[] Types =
    [
        ("smallint", ["-32768", "32767"]),
        ("integer", ["-2147483648", "2147483647"]),
        ("bigint", ["'-9223372036854775808'", "9223372036854775807"]),
        ("real", ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "'1e-45'", "3.4028235e38"]),
        ("double precision", ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "'5e-324'", "1/3.0"]),
        ("numeric", ["'NaN'", "'Infinity'", "'-Infinity'", "0", "0.000", "-1e-300", "'1' || repeat('0', 1000) || '.' || repeat('7', 500)"]),
        ("numeric(10,3)", ["1.5", "-9999999.999"]),
        ("money", ["'1234567.89'", "'-0.01'"]),
        ("boolean", ["true", "false"]),
        ("\"char\"", ["'a'", "''"]),
        ("text", ["''", @"E'a\\\tb\n\r\\N\x01'", @"E'\\.'", @"E'\n\\.\n'", "'€ 漢字 👩‍🚀 é'", "repeat('long ', 100000)"]),
        ("varchar(7)", ["'1234567'", "'  ' "]),
        ("char(5)", ["'ab'", "''"]),
        ("name", ["'a name'"]),
        ("bytea", ["''", @"'\x00ff5c0a2e'", "decode(repeat('5c', 100000), 'hex')"]),
        ("date", ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'0001-12-31 BC'", "'5874897-12-31'"]),
        ("time(3)", ["'24:00'", "'23:59:59.999'"]),
        ("timetz", ["'00:00+15:59'", "'12:00:00.000001-12:30'"]),
        ("timestamp", ["'infinity'", "'4713-01-01 00:00 BC'", "'2000-02-29 23:59:59.999999'"]),
        ("timestamptz", ["'-infinity'", "'0044-03-15 12:00+00 BC'", "'2024-10-27 02:30 Europe/Berlin'"]),
        ("interval", ["'-178000000 years'", "'1 mon -1 day +00:00:00.000001'", "'0'"]),
        ("interval day to second(2)", ["'5 12:00:01.25'"]),
        ("uuid", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"]),
        ("json", ["'{\"b\" : 1, \"a\":[null, \"\\u20ac\"] , \"b\": 2}'"]),
        ("jsonb", ["'{\"b\": 1.500, \"a\": [null, \"x\\ny\"]}'", "'\"\"'"]),
        ("jsonpath", ["'$.a[*] ? (@ > 1)'"]),
        ("xml", ["'<a b=\"c\">é &amp; 漢</a>'", "'just text'"]),
        ("inet", ["'192.168.0.1/24'", "'::1'"]),
        ("cidr", ["'10.0.0.0/8'", "'2001:db8::/32'"]),
        ("macaddr", ["'08:00:2b:01:02:03'"]),
        ("macaddr8", ["'08:00:2b:01:02:03:04:05'"]),
        ("bit(11)", ["B'10101010101'"]),
        ("bit varying", ["B''", "B'101'"]),
        ("tsvector", ["'a:1A fat:2B,4C cat:5D ''it''''s'''", "''"]),
        ("tsquery", ["'fat & (rat:AB | !cat) <2> dog:*'"]),
        ("pg_lsn", ["'FFFFFFFF/FFFFFFFF'", "'0/0'"]),
        ("oid", ["4294967295"]),
        ("xid", ["'4294967295'"]),
        ("xid8", ["'18446744073709551615'"]),
        ("tid", ["'(4294967295,65535)'"]),
        ("int2vector", ["'1 2 -3'", "''"]),
        ("oidvector", ["'1 2 3'"]),
        ("pg_snapshot", ["'10:20:10,14,15'"]),
        ("aclitem", ["'postgres=r*w/postgres'"]),
        ("regclass", ["'pg_class'", "'public.here'"]),
        ("regtype", ["'timestamp with time zone'", "'mood[]'"]),
        ("regproc", ["'pg_sleep'"]),
        ("regprocedure", ["'sum(int4)'"]),
        ("regoperator", ["'+(int4,int4)'"]),
        ("regrole", ["'pg_monitor'"]),
        ("regnamespace", ["'public'"]),
        ("point", ["'(1e-300,-0)'", "'(NaN,Infinity)'"]),
        ("line", ["'{1,-1,0.1}'"]),
        ("lseg", ["'[(0,0),(1,0.1)]'"]),
        ("box", ["'(2,3),(0,1)'"]),
        ("path", ["'[(0,0),(1,1)]'", "'((0,0),(1,1),(2,0))'"]),
        ("polygon", ["'((0,0),(1,1),(2,0))'"]),
        ("circle", ["'<(0.1,0),5>'"]),
        ("int4range", ["'empty'", "'[1,5)'", "'(,)'"]),
        ("numrange", ["'(1.50,NaN]'"]),
        ("tstzrange", ["'[2020-01-01,infinity)'"]),
        ("int8multirange", ["'{}'", "'{[1,2),[5,)}'"]),
        ("floats", ["'[1.5,Infinity)'"]),
        ("floats[]", ["ARRAY['empty', '(-0,1e-300]']::floats[]"]),
        ("int[]", ["'{}'", "'{1,NULL,-3}'", "'[-1:0][2:3]={{1,2},{3,4}}'", "'{{{1},{2}},{{3},{NULL}}}'"]),
        ("text[]", ["ARRAY['', 'NULL', NULL, '{,}', E'\\\\\"\\n\\t', ' a ']"]),
        ("timestamptz[]", ["'{infinity,NULL,\"2000-01-01 00:00+00\"}'"]),
        ("numeric(5,1)[]", ["'{1.5,NaN}'"]),
        ("mood", ["'sad'", "'it''s \"fine\"'"]),
        ("mood[]", ["ARRAY['so so', NULL, 'it''s \"fine\"']::mood[]", "'{{sad},{sad}}'"]),
        ("\"Other schema\".\"Of (mine)\"", ["'x'"]),
        ("positive", ["7"]),
        ("positive[]", ["'{1,2}'"]),
        ("moods", ["'{sad}'"]),
        ("pair", ["ROW(1, E'a,\"b\"\\n\\\\', 'so so')", "ROW(NULL, '', NULL)"]),
        ("pair[]", ["ARRAY[ROW(1, NULL, 'sad'), NULL, ROW(2, '(\"', NULL)]::pair[]"]),
        ("good_pair", ["ROW(1, 'x', NULL)"]),
        ("nested", ["ROW(ROW(1, 'x', 'sad'), ARRAY[ROW(2, 'y', 'so so')]::pair[], 3)::nested"]),
        ("hstore", ["'a=>1, \"b c\"=>NULL, d=>\"e\\\"f\"'"]),
        ("hstore[]", ["ARRAY['a=>1', '']::hstore[]"]),
        ("citext", ["'MiXed'"]),
        ("ltree", ["'Top.Science.Astronomy'", "''"]),
        ("lquery", ["'*.Astronomy@*.!x{1,}'"]),
        ("ltxtquery", ["'Europe & !Asia'"]),
        ("cube", ["'(0,0.1),(1,1)'", "'(5)'"]),
        ("seg", ["'1.50 .. 2'", "'<3'"]),
        ("isbn13", ["'978-0-393-04002-9'"]),
        ("query_int", ["'1&(2|!3)'"]),
        ("int4", []),
    ];

    [Theory]
    [InlineData("int")]
    [InlineData("regtype")] // sent as text, and the whole table with it
    public async Task CopyAsync_EveryType_ArrivesAsItIs(string companion)
    {
        await NeedsVersionAsync(14, "multiranges");
        // Other oids in the target.
        await OnTargetAsync("CREATE TYPE first_of_all AS ENUM (); CREATE TYPE then_this AS (a int)");
        await CreateAsync(UserTypes);
        await CreateAsync("CREATE TABLE here ()");
        await CreateAsync(string.Join(';', Types.Select((type, i) => $"CREATE TABLE t{i} (id int PRIMARY KEY, c {companion}, v {type.Type})")));
        await OnSourceAsync(string.Join(';', Types.SelectMany(static (type, i) =>
            type.Values.Select((value, number) => $"INSERT INTO t{i} SELECT {number}, 23, ({value})::{type.Type}"))));
        await OnSourceAsync(string.Join(';', Enumerable.Range(0, Types.Length).Where(static i => Types[i].Type != "moods")
            .Select(static i => $"INSERT INTO t{i} (id) VALUES (100)")));

        var report = await Run().CopyAsync(Types.Select((_, i) => new TableCopy($"t{i}")), cancellationToken: Stop);

        for (var i = 0; i < Types.Length; i++)
            await AssertSameTableAsync($"t{i}");
        Assert.Equal(Types.Sum(static type => type.Values.Length + 1) - 1, report.Rows);
        // Of the last, with a row of NULLs: a header, a trailer and a row; or a line.
        Assert.Equal(companion == "int" ? 21 + 2 + 3 * 4 + 4 : "100\t\\N\t\\N\n".Length, report.Tables[^1].Bytes);
    }
}
