namespace PgPool.Migration.Catalogs;

/// <summary>What is known of two types' forms on the wire; the lesser is the better.</summary>
internal enum Likeness
{
    /// <summary>The same bytes mean the same.</summary>
    Binary,

    /// <summary>The same text means the same, under <see cref="SessionSettings"/> and <see cref="ValueSettings"/>.</summary>
    Text,

    /// <summary>Nothing is known.</summary>
    None,
}
