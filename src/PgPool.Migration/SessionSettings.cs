namespace PgPool.Migration;

/// <summary>What a migration sets in its transactions. All of it SET LOCAL: gone with the transaction, whatever becomes of the
/// lease.</summary>
internal static class SessionSettings
{
    // COPYs take hours and a snapshot idles: the timeouts that protect a server from others would end them. A lock that nobody releases
    // is waited for this long, and then tried again as any transient failure. Text forms are fixed where bounds, rows and checksums
    // depend on them; the order of day and month, the zone, the search_path and lc_monetary are the caller's, whose conditions and values
    // of money may mean them: they are set for the tables that need it only (ValueSettings).
    private const string Common = """
        SET LOCAL statement_timeout = 0;
        SET LOCAL idle_in_transaction_session_timeout = 0;
        SET LOCAL lock_timeout = '30s';
        SET LOCAL DateStyle = 'ISO';
        SET LOCAL IntervalStyle = 'postgres';
        SET LOCAL extra_float_digits = 3;
        SET LOCAL bytea_output = 'hex';
        SET LOCAL xmloption = content;
        SET LOCAL array_nulls = on;
        """;

    // From PostgreSQL 11 on. The planner overestimates queries of the catalogs, and compiling them takes many times as long as they do.
    private const string NoCompilation = "SET LOCAL jit = off;";

    // From PostgreSQL 17 on.
    private const string NoTransactionTimeout = "SET LOCAL transaction_timeout = 0;";

    // A policy that hides rows is an error rather than a smaller copy. A partition comes in the order of its blocks where the server has the choice.
    // By a notice a COPY is known to have begun.
    private const string Reading = """
        SET LOCAL row_security = off;
        SET LOCAL synchronize_seqscans = off;
        SET LOCAL client_min_messages = notice;
        SET LOCAL max_parallel_workers_per_gather = 0;
        """;

    /// <summary>For a transaction that reads tables.</summary>
    public static string ForReading(ConnectionLease lease) => For(lease) + Reading;

    /// <summary>For a transaction that writes.</summary>
    public static string ForWriting(ConnectionLease lease) => For(lease);

    private static string For(ConnectionLease lease)
    {
        var version = lease.Connection.PostgreSqlVersion.Major;
        return $"{Common}{(version >= 11 ? NoCompilation : "")}{(version >= 17 ? NoTransactionTimeout : "")}SET LOCAL client_encoding = '{EncodingOf(lease)}';";
    }

    // The same on both sides, whatever the connection strings say. A database of SQL_ASCII takes any bytes, but not from a client that
    // claims to know them.
    private static string EncodingOf(ConnectionLease lease) =>
        lease.Connection.PostgresParameters.GetValueOrDefault("server_encoding") == "SQL_ASCII" ? "SQL_ASCII" : "UTF8";
}
