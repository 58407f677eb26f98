namespace PgPool.Migration.Statements;

/// <summary>What a <see cref="SqlToken"/> is.</summary>
internal enum SqlTokenKind
{
    /// <summary>A keyword or a name that is not quoted.</summary>
    Word,

    /// <summary>A name in double quotes.</summary>
    QuotedName,

    /// <summary>@name, outside of everything quoted.</summary>
    Parameter,

    /// <summary>A string in any of its forms, or a number.</summary>
    Literal,

    /// <summary>Any other character.</summary>
    Symbol,
}
