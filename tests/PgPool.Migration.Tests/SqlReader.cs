using System.Text;
using Xunit;

namespace PgPool.Migration.Tests;

/// <summary>Reads SQL back as PostgreSQL's lexer does, to know what a statement that was put together says.</summary>
/// <param name="sql">The statement.</param>
/// <param name="standardStrings">standard_conforming_strings: off, a backslash escapes in every string.</param>
internal sealed class SqlReader(string sql, bool standardStrings = true)
{
    private int _position;

    public bool IsAtEnd => _position == sql.Length;

    /// <summary>A quoted identifier.</summary>
    public string Name()
    {
        Expect("\"");
        return UpTo('"', backslashEscapes: false);
    }

    /// <summary>A string constant, with the blanks before it.</summary>
    public string Literal()
    {
        while (TryTake(" "))
        {
        }

        var escapes = TryTake("E");
        Expect("'");
        return UpTo('\'', escapes || !standardStrings);
    }

    public void Expect(string words) => Assert.True(TryTake(words), $"not {words} at {_position} of {sql}");

    public bool TryTake(string words)
    {
        if (string.CompareOrdinal(sql, _position, words, 0, words.Length) != 0)
            return false;
        _position += words.Length;
        return true;
    }

    private string UpTo(char quote, bool backslashEscapes)
    {
        var text = new StringBuilder();
        for (; _position < sql.Length; _position++)
        {
            var c = sql[_position];
            if (c == quote)
            {
                _position++;
                if (_position == sql.Length || sql[_position] != quote)
                    return text.ToString();
            }
            else if (c == '\\' && backslashEscapes)
            {
                _position++;

                // Other letters would stand for something else: \n is a newline.
                Assert.Equal('\\', sql[_position]);
            }

            text.Append(c);
        }

        throw new InvalidDataException($"A quote is not closed in {sql}");
    }
}
