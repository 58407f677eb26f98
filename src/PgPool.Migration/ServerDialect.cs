namespace PgPool.Migration;

/// <summary>SQL that depends on the version of the server, from PostgreSQL 10 on.</summary>
internal static class ServerDialect
{
    /// <summary>What stands between a WITH query's name and its text so that the server runs it once and as it is.</summary>
    /// <remarks>PostgreSQL 12 brought the keyword, and inlines without it; earlier versions never inline.</remarks>
    public static string AsMaterialized(this ConnectionLease lease) => VersionOf(lease) >= 12 ? "AS MATERIALIZED" : "AS";

    /// <summary>Whether the server has <see cref="FastHash"/>.</summary>
    public static bool HasFastHash(this ConnectionLease lease) => VersionOf(lease) >= 11;

    /// <summary>A text's 64-bit hash, the fastest that a server has; two servers may give different ones.</summary>
    public static string FastHash(string text) => $"pg_catalog.hashtextextended({text}, 0)";

    /// <summary>A text's 64-bit hash that is the same on every server: the first half of its MD5.</summary>
    public static string StandardHash(string text) => $"('x' || pg_catalog.left(pg_catalog.md5({text}), 16))::bit(64)::bigint";

    private static int VersionOf(ConnectionLease lease) => lease.Connection.PostgreSqlVersion.Major;
}
