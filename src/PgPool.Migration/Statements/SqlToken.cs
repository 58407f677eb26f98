namespace PgPool.Migration.Statements;

/// <summary>A part of a statement that is neither white space nor a comment.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">A word in lower case, a quoted name without its quotes, a parameter's name, or a character; empty for a literal.</param>
/// <param name="Start">Where it begins in the text.</param>
/// <param name="End">The position behind it.</param>
/// <param name="Depth">How many parentheses and brackets are open around it.</param>
internal readonly record struct SqlToken(SqlTokenKind Kind, string Text, int Start, int End, int Depth)
{
    public bool IsWord(string word) => Kind == SqlTokenKind.Word && Text == word;

    public bool IsSymbol(char symbol) => Kind == SqlTokenKind.Symbol && Text[0] == symbol;

    public bool IsName => Kind is SqlTokenKind.Word or SqlTokenKind.QuotedName;
}
