using CsCheck;
using Npgsql;
using PgPool.Migration.Copying;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

public sealed class RowNamesPropertyTests
{
    [Fact]
    public void Of_AnyKey_NamesEachColumnAndItsValue() => Gen.Select(Generators.Names(1, 4), Gen.Bool).Sample(static (key, standard) =>
    {
        var reader = new SqlReader(RowNames.Of(Generators.Plan(new TableCopy("t")) with { SourceKey = key }), standard);
        for (var i = 0; i < key.Length; i++)
        {
            if (i > 0)
                reader.Expect(" || ', ' || ");
            Assert.Equal($"{key[i]} = ", reader.Literal());
            reader.Expect(" || ");
            Assert.Equal(key[i], reader.Name());
            reader.Expect("::text");
        }

        Assert.True(reader.IsAtEnd);
    });

    [Fact]
    public void LineOf_AnyTableInTheServersLanguages_IsTheNumberBehindTheName() =>
        Gen.Select(
                Generators.Name, Gen.Long[1, long.MaxValue], Gen.OneOf("line", "Zeile", "ligne", "строка", "行"), Generators.Text, Gen.Bool)
            .Sample(static (name, line, word, value, isUpsert) =>
            {
                var context = $"COPY {(isUpsert ? CopyDestination.StageName : name)}, {word} {line}, column c: \"{value}\"";
                var table = Generators.Plan(new TableCopy(new TableName("public", name)));

                Assert.Equal(line, RowNames.LineOf(Refusal(context), table));
                Assert.Null(RowNames.LineOf(Refusal(context.Replace("COPY ", "COPY _", StringComparison.Ordinal)), table));
                Assert.Null(RowNames.LineOf(Refusal(null), table));
            });

    private static PostgresException Refusal(string? where) => new("refused", "ERROR", "ERROR", "22P02", where: where);
}
