using Npgsql;

namespace PgPool.Tests.Soak;

/// <summary>What a worker may see of the faults. Everything else is a finding.</summary>
internal static class ExpectedFailures
{
    /// <summary>A name for the failure, or null when it should not have happened.</summary>
    public static string? KindOf(Exception exception) => exception switch
    {
        PoolTimeoutException => "rent timed out",
        OperationCanceledException => "cancelled",
        PostgresException postgres => IsExpected(postgres.SqlState) ? postgres.SqlState : null,
        NpgsqlException { InnerException: PostgresException postgres } => IsExpected(postgres.SqlState) ? postgres.SqlState : null,
        NpgsqlException { InnerException: TimeoutException } => "command timed out",
        NpgsqlException => "connection broken",
        // Npgsql's word for a connection that broke before this command.
        InvalidOperationException { Message: "Connection is not open" } => "connection not open",
        _ => null,
    };

    // Connection exceptions, a division by zero of our own, cancelled, ended by an administrator, in a crash, starting up.
    private static bool IsExpected(string sqlState)
        => sqlState.StartsWith("08", StringComparison.Ordinal)
            || sqlState is PostgresErrorCodes.DivisionByZero or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.AdminShutdown
                or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections;
}
