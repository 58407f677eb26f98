namespace PgPool.Migration.Catalogs;

/// <summary>What sets single types of PostgreSQL's own apart.</summary>
internal static class CoreTypes
{
    // Infinite intervals: before, the same bytes are an interval of 178 million years.
    private const int InfiniteIntervals = 17;

    // How "char" prints what is no ASCII.
    private const int EscapedChars = 15;

    /// <summary>A reg… type: sent as an oid, which is another object's elsewhere, and printed as a name.</summary>
    public static bool IsObject(CatalogType type) => type is { IsCore: true, Kind: TypeKind.Base } && type.Name.StartsWith("reg", StringComparison.Ordinal);

    /// <summary>Converted to and from others by the session's time zone.</summary>
    public static bool IsZoned(CatalogType type) => type is { IsCore: true, Name: "timestamptz" or "timetz" };

    /// <summary>A number of smallest units, which lc_monetary alone tells.</summary>
    public static bool IsMoney(CatalogType type) => type is { IsCore: true, Name: "money" };

    /// <summary>Whether values of one type without parts are the same bytes on both sides.</summary>
    public static bool IsBinaryAlike(CatalogType type, ServerFacts source, ServerFacts target) =>
        type.HasBinary && !IsObject(type) && type.Name switch
        {
            // An empty vector is sent, and refused where it is received.
            "int2vector" or "oidvector" => false,
            "interval" => source.Version >= InfiniteIntervals == target.Version >= InfiniteIntervals,
            _ => true,
        };

    /// <summary>Whether the target reads what the source prints. What it refuses is told with its row, so only what it would take for
    /// another value counts.</summary>
    public static bool IsTextAlike(CatalogType type, ServerFacts source, ServerFacts target) =>
        type is not { IsCore: true, Name: "char" } || source.Version < EscapedChars || target.Version >= EscapedChars;
}
