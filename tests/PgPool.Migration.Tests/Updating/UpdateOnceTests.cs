using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Updating;

/// <summary>Each row is changed once, by its own range, or nothing is.</summary>
public sealed class UpdateOnceTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private static readonly TableName Table = TableName.Parse("t");

    [Theory]
    [InlineData("UPDATE t SET n = n + 1 -- @first @last")]
    [InlineData("UPDATE t SET n = n + 1 WHERE id >= 0 AND '@first @last' <> $$ @first @last $$")]
    [InlineData("UPDATE t SET n = 1 WHERE id BETWEEN @first AND @last; DROP TABLE t")]
    [InlineData("DELETE FROM t WHERE id BETWEEN @first AND @last; COMMIT; DELETE FROM t")]
    public async Task UpdateAsync_NotOneStatementWithBothParameters_IsRefused(string sql)
    {
        await FillAsync();

        await Assert.ThrowsAsync<ArgumentException>(() => Run().UpdateAsync(Table, sql, cancellationToken: Stop));

        await AssertUntouchedAsync();
    }

    [Theory]
    [InlineData("UPDATE t SET n = n + 1 WHERE id BETWEEN @first AND @last OR true", "not of that range")]
    [InlineData("UPDATE t SET n = n + 1 WHERE @first <= @last::int", "not of that range")]
    [InlineData("UPDATE t SET n = @first::int + @last::int", "not of that range")]
    [InlineData("DELETE FROM t x USING other o WHERE o.id BETWEEN @first AND @last", "not of that range")]
    [InlineData("WITH a AS (SELECT 1 AS one) UPDATE t SET n = one FROM a WHERE id >= @first OR id = @last RETURNING n", "not of that range")]
    [InlineData("UPDATE t SET id = id + 1000000 WHERE id BETWEEN @first AND @last", "assigns to \"id\"")]
    [InlineData("UPDATE t AS x SET (n, id) = (1, n) WHERE x.id BETWEEN @first AND @last", "assigns to \"id\"")]
    [InlineData("UPDATE moved SET n = n + 1 WHERE id BETWEEN @first AND @last", "not of that range")]
    [InlineData("WITH o AS (UPDATE other SET id = id + 1) UPDATE t SET n = 1 WHERE id BETWEEN @first AND @last", "WITH query")]
    [InlineData("UPDATE other SET id = id WHERE id BETWEEN @first AND @last", "changes other")]
    [InlineData("WITH o AS (DELETE FROM t WHERE id BETWEEN @first AND @last RETURNING 1) SELECT * FROM o", "no UPDATE or DELETE")]
    [InlineData("INSERT INTO t VALUES (@first, @last) ON CONFLICT (id) DO UPDATE SET n = 1", "no UPDATE or DELETE")]
    public async Task UpdateAsync_RowsOfOtherRanges_FailsAndChangesNothing(string sql, string told)
    {
        await FillAsync();
        var table = sql.Contains("moved", StringComparison.Ordinal) ? TableName.Parse("moved") : Table;

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run(new() { Degree = 1 }).UpdateAsync(table, sql, cancellationToken: Stop));

        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
        Assert.Equal(table, failure.Table);
        await AssertUntouchedAsync();
    }

    [Theory]
    [InlineData("WITH a AS (SELECT 1 AS one) UPDATE ONLY public.t AS x SET n = n + one FROM a WHERE x.id BETWEEN @first AND @last RETURNING *, one;")]
    [InlineData("UPDATE \"t\" SET n = n + 1 /* ; */ WHERE id>=@first AND id<=@last -- the end")]
    public async Task UpdateAsync_StatementsOfManyForms_ChangeEachRowOnce(string sql)
    {
        await FillAsync();

        var report = await Run().UpdateAsync(Table, sql, cancellationToken: Stop);

        Assert.Equal((4000, 4000), (report.Rows, await FromTargetAsync<long>("SELECT count(*) FROM t WHERE n = 1")));
    }

    [Theory]
    [InlineData("SELECT true; SELECT false")]
    [InlineData("SELECT false; COMMIT; DROP TABLE t")]
    [InlineData("-- nothing")]
    public void Options_PauseWhileIsNotOneQuery_IsRefused(string sql) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Run(new() { PauseWhile = sql }));

    [Fact]
    public async Task PauseWhile_ThatWrites_IsRefusedEverywhere()
    {
        await FillAsync();
        await CreateAsync("CREATE TABLE c (id int)");
        await OnTargetAsync("CREATE FUNCTION spoil() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET n = 7; RETURN false; END $$");
        var options = new MigrationOptions { PauseWhile = "SELECT spoil()" };

        Assert.Contains("PauseWhile", (await Assert.ThrowsAsync<MigrationException>(() => Run(options).CopyAsync([new TableCopy("c")], cancellationToken: Stop))).Message,
            StringComparison.Ordinal);
        Assert.Contains("read-only", (await Assert.ThrowsAsync<MigrationException>(() => Run(options).UpdateAsync(
            Table, "UPDATE t SET n = 1 WHERE id BETWEEN @first AND @last", cancellationToken: Stop))).Message, StringComparison.Ordinal);

        await AssertUntouchedAsync();
    }

    private Task FillAsync() => OnTargetAsync("""
        CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0);
        INSERT INTO t (id) SELECT generate_series(1, 4000);
        CREATE TABLE other (id int PRIMARY KEY);
        INSERT INTO other VALUES (1), (2), (3);
        CREATE TABLE moved (id int PRIMARY KEY, n int DEFAULT 0);
        INSERT INTO moved (id) SELECT generate_series(1, 4000);
        CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id := NEW.id + 100000; RETURN NEW; END $$;
        CREATE TRIGGER move BEFORE UPDATE ON moved FOR EACH ROW EXECUTE PROCEDURE move()
        """);

    private async Task AssertUntouchedAsync()
    {
        Assert.Equal(8000, await FromTargetAsync<long>("SELECT (SELECT count(*) FROM t WHERE n = 0) + (SELECT count(*) FROM moved WHERE n = 0 AND id <= 4000)"));
        Assert.Equal(6, await FromTargetAsync<long>("SELECT sum(id) FROM other"));
        Assert.Equal(0, Target.GetStatistics().Leased);
    }
}
