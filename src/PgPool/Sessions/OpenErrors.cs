using System.Security.Authentication;
using Npgsql;
using PgPool.Engine;

namespace PgPool.Sessions;

/// <summary>What a failure to open a session says: try again, slowly, or not at all.</summary>
/// <remarks>SQLSTATEs: <see href="https://www.postgresql.org/docs/current/errcodes-appendix.html">PostgreSQL's appendix A</see>.</remarks>
internal static class OpenErrors
{
    public static OpenFailure Classify(Exception exception) => exception switch
    {
        HookFailedException or TimeoutException => OpenFailure.Transient,
        _ when IsOrWraps<AuthenticationException>(exception) => OpenFailure.Permanent,
        PostgresException postgres => ClassifyPostgres(postgres),
        // Npgsql's own refusals: a password that is missing, TLS that the server does not offer. Network errors come wrapped, as transient.
        NpgsqlException { IsTransient: false, InnerException: null } => OpenFailure.Permanent,
        ArgumentException or NotSupportedException => OpenFailure.Permanent,
        _ => OpenFailure.Transient,
    };

    /// <summary>Whether this is the server that has no place for another session.</summary>
    public static bool IsServerFull(Exception? exception) => exception is PostgresException { SqlState: PostgresErrorCodes.TooManyConnections };

    private static OpenFailure ClassifyPostgres(PostgresException exception) => exception.SqlState switch
    {
        PostgresErrorCodes.TooManyConnections => OpenFailure.ServerFull,
        // Invalid authorization; no such database; no right to connect to it; database dropped.
        var sqlState when sqlState.StartsWith("28", StringComparison.Ordinal) => OpenFailure.Permanent,
        // Which is what PgBouncer says of everything.
        PostgresErrorCodes.ProtocolViolation when PoolerRefuses(exception.MessageText) => OpenFailure.Permanent,
        PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.DatabaseDropped => OpenFailure.Permanent,
        _ => OpenFailure.Transient,
    };

    private static bool PoolerRefuses(string message)
        => message.Contains("authentication failed", StringComparison.Ordinal) || message.Contains("unsupported startup parameter", StringComparison.Ordinal);

    private static bool IsOrWraps<TException>(Exception? exception) where TException : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is TException)
                return true;
        }
        return false;
    }
}
