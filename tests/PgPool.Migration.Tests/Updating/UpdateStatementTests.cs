using PgPool.Migration.Updating;
using Xunit;

namespace PgPool.Migration.Tests.Updating;

/// <summary>What of a statement is the statement, and what only text in it.</summary>
public sealed class UpdateStatementTests
{
    // Each hides what is within it.
    public static TheoryData<string> Hiding =>
    [
        "-- {0}\n", "/* {0} */", "/* /* */ {0} */", "'{0}'", "'it''s {0}'", "E'\\' {0}'", "e'\\\\' || '{0}'", "E'a'\n '\\' {0}'", "$${0}$$", "$a$ $b$ {0} $a$",
        "\"{0}\"", "\"a\"\"{0}\"", "b'0' || '{0}'", "$é$ {0} $é$", "U&'{0}'", "N'{0}'",
    ];

    [Theory]
    [MemberData(nameof(Hiding))]
    public void Parse_ParametersInQuotesAndComments_DoNotCount(string hiding)
    {
        var hidden = hiding.Replace("{0}", "@first @last", StringComparison.Ordinal);

        Assert.Throws<ArgumentException>(() => UpdateStatement.Parse($"UPDATE t SET v = v + 1 {hidden}"));
        Assert.Throws<ArgumentException>(() => UpdateStatement.Parse($"UPDATE t SET v = {hidden} WHERE id >= @first"));
        var plain = UpdateStatement.Parse($"UPDATE t SET v = {hidden}\n WHERE id>=@first AND id<=@last").Plain;
        Assert.Equal($"UPDATE t SET v = {hidden}\n WHERE id>=$1 AND id<=$2", plain);
    }

    [Theory]
    [MemberData(nameof(Hiding))]
    public void Parse_SemicolonsInQuotesAndComments_DoNotEndIt(string hiding)
    {
        var hidden = hiding.Replace("{0}", "; DROP TABLE t; --", StringComparison.Ordinal).Replace("--\n", "\n", StringComparison.Ordinal);
        if (hidden.Contains("--", StringComparison.Ordinal) && hiding.StartsWith("--", StringComparison.Ordinal))
            hidden += "\n";
        const string Sql = "UPDATE t SET v = 1 WHERE id BETWEEN @first AND @last";

        Assert.EndsWith("$2", UpdateStatement.Parse($"{Sql} ; ; -- end\n ; /* of it */").Plain, StringComparison.Ordinal);
        Assert.Equal("t", UpdateStatement.Parse($"/* ; */ {Sql} AND v <> {hidden}").Target);
        Assert.Throws<ArgumentException>(() => UpdateStatement.Parse($"{Sql} AND v <> {hidden}\n; DROP TABLE t"));
        Assert.Throws<ArgumentException>(() => UpdateStatement.Parse($"{Sql}; {Sql}"));
    }

    [Theory]
    [InlineData("@first_name AND @last")]
    [InlineData("@@first AND @last")]
    [InlineData("@FIRST AND @last")]
    [InlineData("$1 AND $2")]
    [InlineData("@first AND @last AND v = $3")]
    public void Parse_OtherThanTheTwoParameters_IsRefused(string range) =>
        Assert.Throws<ArgumentException>(() => UpdateStatement.Parse($"UPDATE t SET v = 1 WHERE id BETWEEN {range}"));

    [Theory]
    [InlineData("UPDATE t SET a = 1", "t", "t", "a")]
    [InlineData("update only \"S\".\"T x\" * as u set \"A\" = 1, b = (SELECT max(id) FROM x WHERE y = 1), c[1] = 2, d.id = 3", "\"S\".\"T x\"", "u", "A,b,c,d")]
    [InlineData("UPDATE ONLY (t) x SET (id, n) = (1, id), m = a IS DISTINCT FROM b, o = 1 FROM id, y WHERE y.id = 1", "t", "x", "id,n,m,o")]
    [InlineData("WITH set AS (SELECT 1 AS id) UPDATE T SET Id = 5 RETURNING n, m", "T", "t", "id")]
    [InlineData("DELETE FROM a.b USING c", "a.b", "b", "")]
    [InlineData("DELETE FROM ONLY a AS \"B\"", "a", "B", "")]
    [InlineData("SELECT 1 FOR UPDATE", null, "", "")]
    [InlineData("WITH x AS (DELETE FROM t) SELECT 1", null, "", "")]
    [InlineData("INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1", null, "", "")]
    public void Parse_Statement_TellsTableAndAssignments(string sql, string? target, string alias, string assigned)
    {
        var statement = UpdateStatement.Parse($"{sql} /* */ + @first + @last");

        Assert.Equal((target, alias, assigned), (statement.Target, statement.Alias, string.Join(',', statement.Assigned)));
    }

    [Theory]
    [InlineData("UPDATE t SET v = 1 WHERE id BETWEEN @first AND @last", "\nRETURNING \"t\".\"id\" >= $3::int")]
    [InlineData("UPDATE t AS x SET v = 1 WHERE id BETWEEN @first AND @last RETURNING *", "\n, \"x\".\"id\" >= $3::int")]
    public void Checked_Statement_ReturnsWhetherKeysAreWithin(string sql, string returning)
    {
        Assert.Contains(returning, UpdateStatement.Parse(sql).Checked("\"id\"", "int"), StringComparison.Ordinal);
        Assert.StartsWith("WITH a AS (SELECT 1), pgpool_changed", UpdateStatement.Parse($"WITH a AS (SELECT 1) {sql}").Checked("\"id\"", "int"), StringComparison.Ordinal);
    }
}
