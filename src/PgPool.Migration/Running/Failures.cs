using System.Data.Common;
using System.Net.Sockets;
using Npgsql;
using PgPool.Migration.Copying;

namespace PgPool.Migration.Running;

/// <summary>Which failures are worth another attempt.</summary>
/// <remarks>
/// By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) rather than by Npgsql's IsTransient: that counts a full disk and a
/// snapshot that is gone as transient, which would be tried for ever.
/// </remarks>
internal static class Failures
{
    public static FailureKind Classify(Exception exception) => CauseOf(exception) switch
    {
        MigrationException => FailureKind.Fatal,
        PostgresException e => Classify(e.SqlState),
        PoolTimeoutException or PoolQueueFullException => FailureKind.Transient,
        PoolException => FailureKind.Fatal,
        NpgsqlException { InnerException: TimeoutException } or TimeoutException => FailureKind.TimedOut,
        NpgsqlException { InnerException: IOException or SocketException } or IOException or SocketException => FailureKind.Transient,

        // A connection that broke under another statement: Npgsql then says only that it is not open.
        NpgsqlException or DbException => FailureKind.Transient,
        _ => FailureKind.Fatal,
    };

    /// <summary>What PostgreSQL or Npgsql said; a relay wraps it to tell at which end.</summary>
    public static Exception CauseOf(Exception exception) => exception is CopyFailedException { InnerException: { } cause } ? cause : exception;

    /// <summary>The server's refusal of a row, if that is what it is.</summary>
    public static PostgresException? Refusal(Exception exception) => CauseOf(exception) as PostgresException;

    private static FailureKind Classify(string state) => state switch
    {
        "57014" => FailureKind.TimedOut,
        "53300" or "53200" => FailureKind.Overload,
        "40001" or "40P01" or "55P03" or "57P01" or "57P02" or "57P03" or "57P05" or "25006" => FailureKind.Transient,
        _ when state.StartsWith("08", StringComparison.Ordinal) => FailureKind.Transient,
        _ when state.StartsWith("22", StringComparison.Ordinal) || state.StartsWith("23", StringComparison.Ordinal) => FailureKind.BadRow,
        _ => FailureKind.Fatal,
    };

    /// <summary>What to tell of it, as a sentence. Of a broken connection, only what Npgsql's exception wraps says how it broke.</summary>
    public static string Words(Exception exception)
    {
        var words = exception is NpgsqlException { InnerException: { } cause } and not PostgresException
            ? $"{exception.Message.TrimEnd('.')}: {cause.Message}" : exception.Message;
        return $"{words.TrimEnd('.')}.";
    }

    /// <summary>What to change, where the server's own words do not say so.</summary>
    public static string? Cure(Exception exception) => CauseOf(exception) is not PostgresException e ? null : e.SqlState switch
    {
        "53100" => "The disk is full: make room there, then run the same id again.",
        "25P03" => "The server ended a session that was idle in a transaction: raise idle_in_transaction_session_timeout for this role.",
        "25P04" => "The server ended a transaction by transaction_timeout: raise it for this role.",
        "53300" or "53200" => "The server has too little left: lower Degree or raise its limits, then run the same id again.",
        "55P03" => "Another session holds the lock: find it in pg_locks, then run the same id again.",
        _ when e.SqlState.StartsWith("28", StringComparison.Ordinal) => "The server refuses the role: correct user, password or pg_hba.conf.",
        "42501" => "Grant the privilege, then run the same id again.",
        _ => null,
    };
}
