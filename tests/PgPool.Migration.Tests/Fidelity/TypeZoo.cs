namespace PgPool.Migration.Tests.Fidelity;

/// <summary>Types whose values print or travel in some way of their own; each is tried alone, and within arrays, domains, composites and
/// ranges.</summary>
internal static class TypeZoo
{
    public static IReadOnlyList<ZooType> Types { get; } =
    [
        new("smallint", "-32768", "0", "32767"),
        new("bigint", "'-9223372036854775808'", "9223372036854775807"),
        new("real", "'NaN'", "'Infinity'", "'-0'", "0", "'1e-45'", "0.1", "3.4028235e38"),
        new("double precision", "'NaN'", "'-Infinity'", "'-0'", "0", "'5e-324'", "0.1", "0.1::float8 + 0.2", "1/3.0"),
        new("numeric", "'NaN'", "0", "0.000", "-1e-300", "'1' || repeat('0', 1000) || '.' || repeat('7', 500)"),
        new("numeric(10,3)", "1.5", "-9999999.999"),
        new("money", "'1234567.89'::numeric", "-0.01::numeric", "0::numeric"),
        new("boolean", "true", "false"),
        new("\"char\"", "'a'", "''", "(-24)::\"char\"") { Since = 15 }, // before, the last one is no text of any encoding
        new("text", "''", @"E'a\\\tb\n\r\\N\x01'", @"E'\\.'", "'€ 漢字 👩‍🚀 é'", "'NULL'", "' x '", "repeat('long ', 10000)"),
        new("varchar(7)", "'1234567'", "'  '", "''"),
        new("char(5)", "'ab'", "''", "'12345'"),
        new("name", "'a name'", "''"),
        new("bytea", "''", @"'\x00ff5c0a2e'"),
        new("date", "'infinity'", "'4713-01-01 BC'", "'2024-02-03'", "'5874897-12-31'"),
        new("time(3)", "'24:00'", "'23:59:59.999'"),
        new("timetz", "'00:00+15:59'", "'12:00:00.000001-12:30'"),
        new("timestamp", "'infinity'", "'4713-01-01 00:00 BC'", "'2000-02-29 23:59:59.999999'"),
        new("timestamptz", "'-infinity'", "'0044-03-15 12:00+00 BC'", "'2024-10-27 02:30 Europe/Berlin'"),
        new("interval", "'-178000000 years'", "'1 mon -1 day +00:00:00.000001'", "'0'", "'24:00'", "'1 day'"),
        new("interval day to second(2)", "'5 12:00:01.25'", "'0'"),
        new("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
        new("json", "'{\"b\" : 1, \"a\":[null, \"\\u20ac\"] , \"b\": 2}'", "'{}'", "'{ }'") { IsOrdered = false },
        new("jsonb", "'{\"b\": 1.500, \"a\": [null, \"x\\ny\"]}'", "'\"\"'", "'null'", "'1.50'", "'1.5'"),
        new("jsonpath", "'$.a[*] ? (@ > 1)'") { Since = 12, IsOrdered = false },
        new("xml", "'<a b=\"c\">é &amp; 漢</a>'", "'just text'", "'<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>'",
            "'<?xml version=\"1.0\" standalone=\"yes\"?><a/>'", "E'\\n<b/>'") { IsOrdered = false },
        new("inet", "'192.168.0.1/24'", "'192.168.0.1'", "'::1'"),
        new("cidr", "'10.0.0.0/8'", "'2001:db8::/32'"),
        new("macaddr", "'08:00:2b:01:02:03'"),
        new("bit(11)", "B'10101010101'"),
        new("bit varying", "B''", "B'101'", "B'0101'"),
        new("tsvector", "'a:1A fat:2B,4C cat:5D ''it''''s'''", "''"),
        new("tsquery", "'fat & (rat:AB | !cat) <2> dog:*'"),
        new("pg_lsn", "'FFFFFFFF/FFFFFFFF'", "'0/0'"),
        new("oid", "4294967295"),
        new("xid8", "'18446744073709551615'") { Since = 13 },
        new("int2vector", "'1 2 -3'", "''") { Since = 14, IsOrdered = false },
        new("aclitem", "'pg_monitor=r*w/pg_monitor'") { IsOrdered = false },
        new("regclass", "'pg_class'", "'public.here'", "'\"Other schema\".here'") { IsOrdered = false },
        new("regtype", "'timestamp with time zone'", "'\"Other schema\".\"Of (mine)\"[]'") { IsOrdered = false },
        new("regprocedure", "'sum(int4)'", "'\"Other schema\".f(\"Other schema\".\"Of (mine)\", text)'") { IsOrdered = false },
        new("regoperator", "'+(int4,int4)'") { IsOrdered = false },
        new("regrole", "'pg_monitor'") { IsOrdered = false },
        new("regnamespace", "'\"Other schema\"'") { IsOrdered = false },
        new("regconfig", "'simple'") { IsOrdered = false },
        new("point", "'(1e-300,-0)'", "'(NaN,0.1)'") { IsOrdered = false },
        new("box", "'(2,3),(0,0.1)'") { IsOrdered = false },
        new("polygon", "'((0,0),(1,0.1),(2,0))'") { IsOrdered = false },
        new("circle", "'<(0.1,0),5>'") { IsOrdered = false },
        new("int4range", "'empty'", "'[1,5)'", "'(,)'"),
        new("tstzrange", "'[2020-01-01 00:00+00,infinity)'", "'[2020-01-01 00:00+00,)'"),
        new("floats", "'[0.1,Infinity)'", "'[-0,1e-300]'", "'empty'") { Ddl = "CREATE TYPE floats AS RANGE (subtype = float8)" },
        new("int8multirange", "'{}'", "'{[1,2),[5,)}'") { Since = 14 },
        new("mood", "'sad'", "'it''s \"fine\"'") { Ddl = "CREATE TYPE mood AS ENUM ('sad', 'so so', 'it''s \"fine\"')" },
        new("\"Other schema\".\"Of (mine)\"", "'x'"),
        new("positive", "7", "8") { Since = 11, Ddl = "CREATE DOMAIN positive AS int CHECK (VALUE > 0)" },
        new("cents", "7.25", "8") { Since = 11, Ddl = "CREATE DOMAIN cents AS numeric(10,2)" },
        new("twice_cents", "7.25", "8") { Since = 11, Ddl = "CREATE DOMAIN twice_cents AS cents" },
        new("pair", "ROW(1, E'a,\"b\"\\n\\\\', 0.1)", "ROW(NULL, '', NULL)", "ROW(NULL, NULL, NULL)")
        {
            Since = 11, Ddl = "CREATE TYPE pair AS (a int, b text, f float8)",
        },
        new("nested", "ROW(ROW(1, 'x', 'NaN'), ARRAY[ROW(2, 'y', -0.0::float8)]::pair[], 3)", "ROW(NULL, '{}', NULL)")
        {
            Since = 11, Ddl = "CREATE TYPE nested AS (p pair, ps pair[], d positive)",
        },
        new("infinite", "'infinity'", "'-infinity'", "'1 day'") { Since = 17, Ddl = "CREATE DOMAIN infinite AS interval" },
        new("huge", "'Infinity'", "'-Infinity'") { Since = 14, Ddl = "CREATE DOMAIN huge AS numeric" },
    ];
}
