using System.Text;

namespace PgPool.Migration;

/// <summary>The name of a table with its schema, both as the catalog has them.</summary>
/// <param name="Schema">The schema, not quoted.</param>
/// <param name="Name">The table, not quoted.</param>
public sealed record TableName(string Schema, string Name)
{
    /// <summary>"orders" (schema public), "sales.orders", or with quoted parts as SQL writes them: unquoted parts fold to lower case.</summary>
    /// <remarks>As in a database of UTF-8 only the letters A to Z fold: ÄPFEL is the table "Äpfel".</remarks>
    /// <param name="text">The name as SQL writes it.</param>
    /// <exception cref="FormatException">Not one or two parts.</exception>
    public static TableName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var position = 0;
        List<string> parts = [ReadPart(text, ref position)];
        while (position < text.Length && text[position] == '.')
        {
            position++;
            parts.Add(ReadPart(text, ref position));
        }

        if (position < text.Length || parts.Count > 2)
            throw Malformed(text);
        return parts is [var schema, var name] ? new(schema, name) : new("public", parts[0]);
    }

    /// <summary>Quoted for SQL.</summary>
    public override string ToString() => $"{Sql.Name(Schema)}.{Sql.Name(Name)}";

    private static string ReadPart(string text, ref int position)
    {
        while (position < text.Length && IsBlank(text[position]))
            position++;
        var part = position < text.Length && text[position] == '"' ? ReadQuoted(text, ref position) : ReadUnquoted(text, ref position);
        while (position < text.Length && IsBlank(text[position]))
            position++;
        return part;
    }

    private static string ReadQuoted(string text, ref int position)
    {
        var part = new StringBuilder();
        for (position++; position < text.Length; position++)
        {
            if (text[position] != '"')
                part.Append(text[position]);
            else if (position + 1 < text.Length && text[position + 1] == '"')
                part.Append(text[position++]);
            else
                break;
        }

        // Where the text ended there was no closing quote.
        if (position++ >= text.Length || part.Length == 0)
            throw Malformed(text);
        return part.ToString();
    }

    private static string ReadUnquoted(string text, ref int position)
    {
        var start = position;
        while (position < text.Length && IsNamePart(text[position], position == start))
            position++;
        if (position == start)
            throw Malformed(text);
        return string.Concat(text[start..position].Select(static c => char.IsAsciiLetterUpper(c) ? char.ToLowerInvariant(c) : c));
    }

    // To PostgreSQL whatever is beyond ASCII is part of a name, a no-break space too.
    // https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
    private static bool IsBlank(char c) => c is ' ' or '\t' or '\n' or '\r' or '\f' or '\v';

    private static bool IsNamePart(char c, bool first) => char.IsLetter(c) || c == '_' || c > 127 || (!first && (char.IsDigit(c) || c == '$'));

    private static FormatException Malformed(string text) =>
        new($"\"{text}\" is not the name of a table: give one or two parts, as in orders, sales.orders or \"Sales\".\"Orders\".");
}
