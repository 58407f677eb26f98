using CsCheck;
using Xunit;

namespace PgPool.Migration.Tests;

public sealed class SqlPropertyTests
{
    [Fact]
    public void Name_AnyName_IsReadBack() => Generators.Name.Sample(static name =>
    {
        var reader = new SqlReader(Sql.Name(name));
        Assert.Equal(name, reader.Name());
        Assert.True(reader.IsAtEnd);
    });

    [Fact]
    public void Names_AnyNames_AreReadBackInTheirOrder() => Generators.Names(1, 5).Sample(static names =>
    {
        var reader = new SqlReader(Sql.Names(names));
        List<string> read = [reader.Name()];
        while (reader.TryTake(", "))
            read.Add(reader.Name());
        Assert.Equal(names, read);
        Assert.True(reader.IsAtEnd);
    });

    [Fact]
    public void Literal_AnyTextBehindAnything_IsReadBackWhateverStandardStringsAre() =>
        Gen.Select(Generators.Text, Gen.Bool, Gen.OneOf("=", "SELECT", "a||", "e")).Sample(static (text, standardStrings, before) =>
        {
            // A letter before the constant must not become its prefix, as in e'…' or U&'…'.
            var literal = Sql.Literal(text);
            Assert.True(literal[0] is ' ' or '\'');
            var reader = new SqlReader($"{before}{literal}", standardStrings);
            reader.Expect(before);
            Assert.Equal(text, reader.Literal());
            Assert.True(reader.IsAtEnd);
        });
}
