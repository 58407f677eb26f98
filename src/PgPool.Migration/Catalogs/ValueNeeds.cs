namespace PgPool.Migration.Catalogs;

/// <summary>What a column's values depend on besides <see cref="SessionSettings"/>.</summary>
[Flags]
internal enum ValueNeeds
{
    None = 0,

    /// <summary>Objects are told by their names, which must be in full.</summary>
    FullNames = 1,

    /// <summary>A conversion goes by the session's time zone.</summary>
    TimeZone = 2,

    /// <summary>Money arrives as money: as text, it must be written and read in one locale.</summary>
    MoneyKept = 4,

    /// <summary>Money is converted from or to another type, by the locale in which it means what it does.</summary>
    MoneyConverted = 8,
}
