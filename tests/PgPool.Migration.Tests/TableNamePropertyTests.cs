using CsCheck;
using Xunit;

namespace PgPool.Migration.Tests;

public sealed class TableNamePropertyTests
{
    // What PostgreSQL takes for white space; every other character beyond ASCII is a letter to it.
    private static readonly Gen<string> Blanks = Gen.Char[" \t\n\r\f\v"].Array[0, 2].Select(static blanks => new string(blanks));
    private static readonly Gen<string> Unquoted = Gen.Select(
        Gen.Char["aZ_äÄİ中\u00A0\u3000"], Gen.Char["aZ_09$äÄİ中\u00A0\u3000"].Array[0, 5],
        static (first, others) => first + new string(others));

    [Fact]
    public void Parse_WhatToStringWrote_IsTheSame() => Generators.TableName.Sample(static table =>
        Assert.Equal(table, TableName.Parse(table.ToString())));

    [Fact]
    public void ToString_AnyName_IsTwoQuotedParts() => Generators.TableName.Sample(static table =>
    {
        var reader = new SqlReader(table.ToString());
        var schema = reader.Name();
        reader.Expect(".");
        Assert.Equal(table, new TableName(schema, reader.Name()));
        Assert.True(reader.IsAtEnd);
    });

    [Fact]
    public void Parse_BlanksAroundParts_AreNoPartOfThem() =>
        Gen.Select(Generators.TableName, Blanks.Array[4]).Sample(static (table, blanks) => Assert.Equal(
            table, TableName.Parse($"{blanks[0]}{Sql.Name(table.Schema)}{blanks[1]}.{blanks[2]}{Sql.Name(table.Name)}{blanks[3]}")));

    [Fact]
    public void Parse_UnquotedParts_FoldAsInPostgreSql() => Gen.Select(Unquoted, Unquoted).Sample(static (schema, name) =>
        Assert.Equal(new TableName(Fold(schema), Fold(name)), TableName.Parse($"{schema}.{name}")));

    [Fact]
    public void Parse_AnyText_IsANameOrRefused() => Gen.Char["a\". 1"].Array[0, 6].Sample(static letters =>
    {
        var text = new string(letters);
        try
        {
            var table = TableName.Parse(text);
            Assert.NotEmpty(table.Schema);
            Assert.NotEmpty(table.Name);
            Assert.Equal(table, TableName.Parse(table.ToString()));
        }
        catch (FormatException e)
        {
            Assert.Contains($"\"{text}\"", e.Message, StringComparison.Ordinal);
        }
    }, iter: 5000);

    // downcase_identifier in a database of UTF-8: letters of ASCII only.
    private static string Fold(string name) => string.Concat(name.Select(static c => c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : c));
}
