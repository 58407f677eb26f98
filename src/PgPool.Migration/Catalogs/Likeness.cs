namespace PgPool.Migration.Catalogs;

/// <summary>What is known of two types' forms on the wire; the lesser is the better.</summary>
internal enum Likeness
{
    /// <summary>The same bytes mean the same.</summary>
    Binary,

    /// <summary>Not proven.</summary>
    Unproven,

    /// <summary>Not even the same number of parts.</summary>
    None,
}
