namespace PgPool.Migration.Statements;

/// <summary>SQL that must be one statement.</summary>
internal static class SqlStatement
{
    /// <summary>The tokens of the one statement, without a semicolon at its end; null where there are several, or none.</summary>
    public static IReadOnlyList<SqlToken>? One(IReadOnlyList<SqlToken> tokens)
    {
        var end = 0;
        while (end < tokens.Count && !tokens[end].IsSymbol(';'))
            end++;
        var isOne = end > 0 && tokens.Skip(end).All(static token => token.IsSymbol(';'));
        return isOne ? [.. tokens.Take(end)] : null;
    }
}
