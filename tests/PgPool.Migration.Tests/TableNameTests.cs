using Xunit;

namespace PgPool.Migration.Tests;

public sealed class TableNameTests
{
    [Theory]
    [InlineData("orders", "public", "orders")]
    [InlineData("Orders", "public", "orders")]
    [InlineData(" sales . orders ", "sales", "orders")]
    [InlineData("SALES.\"Orders\"", "sales", "Orders")]
    [InlineData("\"a.b\".\"c\"\"d\"", "a.b", "c\"d")]
    [InlineData("\"with space\"", "public", "with space")]
    [InlineData("_x$1", "public", "_x$1")]
    [InlineData("größe", "public", "größe")]
    [InlineData("ÄPFEL", "public", "Äpfel")]
    [InlineData("a\u00A0b", "public", "a\u00A0b")]
    [InlineData("\u00A0a", "public", "\u00A0a")]
    public void Parse_NameAsSqlWritesIt_FoldsAndUnquotes(string text, string schema, string name) =>
        Assert.Equal(new TableName(schema, name), TableName.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(".")]
    [InlineData("a.")]
    [InlineData(".a")]
    [InlineData("a.b.c")]
    [InlineData("a b")]
    [InlineData("1a")]
    [InlineData("\"a")]
    [InlineData("\"\"")]
    [InlineData("\"a\"b")]
    [InlineData("a;DROP TABLE b")]
    public void Parse_NotOneOrTwoParts_NamesTheText(string text)
    {
        var error = Assert.Throws<FormatException>(() => TableName.Parse(text));
        Assert.Contains($"\"{text}\"", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("public", "orders")]
    [InlineData("Sales", "Odd \"name\".x")]
    public void ToString_AnyName_IsParsedBack(string schema, string name)
    {
        var table = new TableName(schema, name);
        Assert.Equal(table, TableName.Parse(table.ToString()));
    }
}
