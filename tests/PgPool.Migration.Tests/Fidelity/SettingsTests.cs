using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Fidelity;

/// <summary>Values whose meaning or text depends on settings of the databases: money, names of objects, zones.</summary>
public sealed class SettingsTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string Yen = "ja_JP.UTF-8";
    private const string Dollar = "en_US.UTF-8";

    private static readonly string[] Schemas = ["app", "other", "public"];

    [Theory]
    [InlineData("money", "numeric(12,2)", "1000::money", "1000.00")]
    [InlineData("numeric", "money", "5000", "￥5,000")]
    [InlineData("money", "money", "1000::money", "￥1,000")]
    [InlineData("money[]", "money[]", "ARRAY[1000::money]", "{\"￥1,000\"}")]
    [InlineData("money", "text", "1000::money", "￥1,000")]
    public async Task CopyAsync_MoneyWithoutDecimals_IsWorthTheSame(string from, string to, string value, string arrives)
    {
        await SetAsync("lc_monetary", Yen, Yen);
        await OnSourceAsync($"CREATE TABLE t (v {from}); INSERT INTO t VALUES ({value}), (NULL)");
        await OnTargetAsync($"CREATE TABLE t (v {to})");

        await AssertCopiedAsync();

        Assert.Equal(arrives, await FromTargetAsync<string>("SELECT v::text FROM t WHERE v IS NOT NULL"));
    }

    [Theory]
    [InlineData("money", "money")]
    [InlineData("numeric", "money")]
    [InlineData("money[]", "money[]")]
    [InlineData("purse", "purse")]
    public async Task CopyAsync_MoneyOfOtherDecimals_IsRefused(string from, string to)
    {
        await SetAsync("lc_monetary", Dollar, Yen);
        await CreateAsync("CREATE TYPE purse AS (owner text, has money)");
        await OnSourceAsync($"CREATE TABLE t (v {from})");
        await OnTargetAsync($"CREATE TABLE t (v {to})");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CheckAsync([new TableCopy("t")], Stop));

        Assert.Contains("column \"v\": money of the source has 2 decimals (lc_monetary is en_US.UTF-8), of the target 0 decimals", failure.Message);
    }

    [Theory]
    [InlineData("int")]
    [InlineData("regtype")] // as text
    public async Task CopyAsync_MoneyOfOtherSigns_IsTheSame(string companion)
    {
        await SetAsync("lc_monetary", Dollar, "de_DE.UTF-8");
        await CreateAsync($"CREATE TABLE t (v money, vs money[], c {companion})");
        await OnSourceAsync("INSERT INTO t SELECT v, ARRAY[v, NULL], 23 FROM unnest('{1234567.89,-0.05}'::numeric[]) n, LATERAL (SELECT n::money AS v) m");

        await AssertCopiedAsync();

        Assert.Equal("1234567.84", await FromTargetAsync<string>("SELECT sum(v)::numeric::text FROM t"));
    }

    [Theory]
    [InlineData("other, public")]
    [InlineData("public")]
    [InlineData("public, pg_catalog")]
    [InlineData("''''")]
    public async Task CopyAsync_ObjectsOfOtherSearchPaths_AreTheSameObjects(string targetPath)
    {
        const string Objects = "CREATE TABLE {0}.jobs (id int); CREATE TYPE {0}.kind AS ENUM ('x'); CREATE FUNCTION {0}.run({0}.kind) RETURNS int LANGUAGE sql AS 'SELECT 1'";
        await CreateAsync("CREATE SCHEMA app; CREATE SCHEMA other");
        foreach (var schema in Schemas)
            await CreateAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, Objects, schema));
        await CreateAsync("""
            CREATE TYPE entry AS (r regclass, n int);
            CREATE TABLE public.t (r regclass, t regtype, p regprocedure, s regclass[], e entry, d text);
            CREATE TABLE public.pg_stats (id int)
            """);
        await OnSourceAsync("""
            INSERT INTO public.t SELECT r, t, p, ARRAY[r], ROW(r, 1)::entry, 'x' FROM (VALUES
                ('app.jobs'::regclass, 'app.kind'::regtype, 'app.run(app.kind)'::regprocedure), ('pg_stats', 'app.kind[]', 'sum(int4)'), ('public.pg_stats', 'int', 'other.run(other.kind)')) v (r, t, p)
            """);
        await SetAsync("search_path", "app, public", targetPath);

        await AssertCopiedAsync(new TableCopy("t") { Where = "d IS NOT NULL" });

        await AssertSameAsync("SELECT set_config('search_path', '', true) AS nothing, r, t, p, s, e FROM public.t");
    }

    [Fact]
    public async Task CheckAsync_ObjectsThatAreConvertedOrFilteredByThePath_AreRefused()
    {
        await OnSourceAsync("""
            CREATE FUNCTION wanted(int) RETURNS bool LANGUAGE sql AS 'SELECT true';
            CREATE TABLE a (r regclass); CREATE TABLE b (r oid); CREATE TABLE c (r text); CREATE TABLE d (r regclass, i int)
            """);
        await OnTargetAsync("CREATE TABLE a (r oid); CREATE TABLE b (r regclass); CREATE TABLE c (r regclass); CREATE TABLE d (r regclass, i int)");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CheckAsync(
            [new TableCopy("a"), new TableCopy("b"), new TableCopy("c"), new TableCopy("d") { Where = "wanted(i)" }], Stop));

        Assert.Contains("\"public\".\"a\": column \"r\": it is regclass in the source, oid in the target", failure.Message);
        Assert.Contains("\"public\".\"b\": column \"r\": it is oid in the source, regclass in the target", failure.Message);
        Assert.Contains("\"public\".\"c\": column \"r\": it is text in the source, regclass in the target", failure.Message);
        Assert.Contains("are read with search_path = pg_catalog", failure.Message);
        await Run().CopyAsync([new TableCopy("d") { Where = "public.wanted(i)" }], cancellationToken: Stop);
    }

    [Fact]
    public async Task CheckAsync_ConditionUnderAnotherZone_IsRefusedWhereValuesAreConvertedByIt()
    {
        await SetAsync("TimeZone", "Asia/Tokyo", "America/New_York");
        await OnSourceAsync("CREATE TABLE t (v timestamp)");
        await OnTargetAsync("CREATE TABLE t (v timestamptz)");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CheckAsync([new TableCopy("t") { Where = "v > '2024-01-01'" }], Stop));

        Assert.Contains("by the target's (America/New_York)", failure.Message);
        await Run().CheckAsync([new TableCopy("t")], Stop);
    }

    [Theory]
    [InlineData("CREATE TYPE c AS (a int, b int)", "CREATE TYPE c AS (a int, d int)", "c", "have not the same attributes (\"b\", \"d\")")]
    [InlineData("CREATE TYPE c AS (a int, b int)", "CREATE TYPE c AS (b int, a int)", "c[]", "types do not fit")]
    [InlineData("CREATE TYPE c AS (a text)", "CREATE TYPE c AS (a int)", "c", "attribute \"a\" of public.c: types do not fit")]
    public async Task CheckAsync_CompositesThatDoNotFit_AreRefused(string source, string target, string type, string told)
    {
        await OnSourceAsync($"{source}; CREATE TABLE t (v {type})");
        await OnTargetAsync($"{target}; CREATE TABLE t (v {type})");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CheckAsync([new TableCopy("t")], Stop));

        Assert.Contains(told, failure.Message);
    }

    private async Task AssertCopiedAsync(TableCopy? table = null)
    {
        table ??= new TableCopy("t");
        await Run().CopyAsync([table], cancellationToken: Stop);
        Assert.True((await Run().VerifyAsync([table], cancellationToken: Stop)).Matches);
    }

    // Of both databases, for sessions that begin after.
    private async Task SetAsync(string setting, string source, string target)
    {
        if (setting == "lc_monetary")
        {
            foreach (var locale in new[] { source, target })
                await SkipWithoutAsync(locale);
        }

        await OnSourceAsync(Alter(source));
        await OnTargetAsync(Alter(target));

        string Alter(string value) => setting == "search_path"
            ? $"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = {value}', current_database()); END $$"
            : $"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting} = %L', current_database(), '{value}'); END $$";
    }

    private async Task SkipWithoutAsync(string locale)
    {
        try
        {
            await OnSourceAsync($"SET lc_monetary = '{locale}'");
        }
        catch (Npgsql.PostgresException e) when (e.SqlState == Npgsql.PostgresErrorCodes.InvalidParameterValue)
        {
            Assert.Skip($"The server has no locale {locale}: install Debian's locales-all, or make it with localedef.");
        }
    }
}
