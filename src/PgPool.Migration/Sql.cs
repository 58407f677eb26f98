namespace PgPool.Migration;

/// <summary>How names and values are written in SQL.</summary>
internal static class Sql
{
    /// <summary>An identifier, always quoted: whether a name is a keyword differs from version to version.</summary>
    public static string Name(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>Identifiers, comma-separated.</summary>
    public static string Names(IEnumerable<string> names) => string.Join(", ", names.Select(Name));

    /// <summary>A string constant that means the same whatever standard_conforming_strings says.</summary>
    public static string Literal(string value)
    {
        var quoted = value.Replace("'", "''", StringComparison.Ordinal);
        return quoted.Contains('\\') ? $" E'{quoted.Replace("\\", "\\\\", StringComparison.Ordinal)}'" : $"'{quoted}'";
    }
}
