namespace PgPool.Migration.Catalogs;

/// <summary>A side's server and database, and who the lease is there.</summary>
internal sealed record ServerFacts
{
    public required int Version { get; init; }

    /// <summary>The role whose rights count.</summary>
    public required string Role { get; init; }

    public required string Database { get; init; }

    public required long DatabaseOid { get; init; }

    public required string Encoding { get; init; }

    /// <summary>Equal only for sessions of one server.</summary>
    public required string Server { get; init; }

    public required bool IsReadOnly { get; init; }

    /// <summary>The session's, as it was begun.</summary>
    public required string TimeZone { get; init; }

    /// <summary>lc_monetary.</summary>
    public required string MoneyLocale { get; init; }

    /// <summary>By how many of its smallest units 1 is stored as money: 100, or 1 where the locale's money has no decimals.</summary>
    public required long MoneyUnit { get; init; }

    /// <summary>The same table at both sides' ends needs this to be equal.</summary>
    public bool IsSameDatabase(ServerFacts other) => Server == other.Server && DatabaseOid == other.DatabaseOid && Database == other.Database;
}
