namespace PgPool.TestSupport;

/// <summary>The settings of a server that is thrown away after the tests: durability and autovacuum would only cost time.</summary>
internal static class ServerSettings
{
    public static Dictionary<string, string> For(PostgresServerOptions options)
    {
        var settings = new Dictionary<string, string>
        {
            ["fsync"] = "off",
            ["synchronous_commit"] = "off",
            ["full_page_writes"] = "off",
            ["autovacuum"] = "off",
            ["password_encryption"] = "scram-sha-256", // the default from PostgreSQL 14 on
            ["max_connections"] = $"{options.MaxConnections}",
        };
        foreach (var (name, value) in options.Settings)
            settings[name] = value;
        return settings;
    }
}
