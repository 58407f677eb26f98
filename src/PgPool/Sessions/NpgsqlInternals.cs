using System.Runtime.CompilerServices;
using System.Transactions;
using Npgsql;

namespace PgPool.Sessions;

/// <summary>
/// What Npgsql keeps to itself: whether a session is in a transaction, whether it has prepared statements, and the reader and transaction objects that
/// it uses again and again, and what it is enlisted in. No I/O.
/// </summary>
/// <remarks>
/// Npgsql's own pool does its reset by these, and so does this one. What reading them is worth stands in PERFORMANCE.md. With another major version of
/// Npgsql, or one that has them no more, the answer is that it is not known, which costs time and breaks nothing; and objects are left bound.
/// </remarks>
internal static class NpgsqlInternals
{
    private const string Connector = "Npgsql.Internal.NpgsqlConnector, Npgsql";
    private const string Manager = "Npgsql.PreparedStatementManager, Npgsql";

    private static volatile bool _isReadable = typeof(NpgsqlConnection).Assembly.GetName().Version is { Major: 10 };

    /// <summary>Whether a transaction is open, one that has failed or is yet to be begun by the next command included; null: not known.</summary>
    public static bool? IsInTransaction(NpgsqlConnection connection) => Ask<bool?>(connection, static (_, connector) => InTransaction(connector));

    /// <summary>Whether there are statements prepared by way of Npgsql, explicitly or automatically; null: not known.</summary>
    public static bool? HasPrepared(NpgsqlConnection connection) => Ask<bool?>(connection, static (_, connector) => CountOf(ManagerOf(connector)) > 0);

    /// <summary>How many of them there are, in the belief of Npgsql; 0: none, or not known.</summary>
    public static int CountPrepared(NpgsqlConnection connection) => Ask(connection, static (_, connector) => CountOf(ManagerOf(connector)));

    /// <summary>The System.Transactions transaction that the session takes part in, before its end has begun; null: none, or not known.</summary>
    public static Transaction? EnlistedIn(NpgsqlConnection connection) => Ask(connection, static (connection, _) => EnlistedTransactionOf(connection));

    /// <summary>
    /// Gives the session another reader and another transaction object, and takes from the connection the command and the batch that it would hand out
    /// again: who disposes his too late, or late once more, must not close the reader, roll back the transaction, or clear the command, of the next renter.
    /// Npgsql's own pool does this to those that were never disposed (https://github.com/npgsql/npgsql/issues/3306).
    /// </summary>
    public static void Unbind(NpgsqlConnection connection) => Ask(connection, static (connection, connector) =>
    {
        Bind(connector, NewReader(connector));
        Keep(connection, command: null);
        Keep(connection, batch: null);
        if (TransactionOf(connector) is { } transaction)
        {
            // Takes the session from the transaction, if it is not disposed; the other way round is done below.
            Unbind(transaction);
            Bind(connector, transaction: null);
        }
        return true;
    });

    private static T? Ask<T>(NpgsqlConnection connection, Func<NpgsqlConnection, object, T?> question)
    {
        if (!_isReadable)
            return default;
        try
        {
            return ConnectorOf(connection) is { } connector ? question(connection, connector) : default;
        }
        // Whatever else it was, a session that breaks just now among it: it is not known.
        catch (Exception exception)
        {
            if (exception is MissingMemberException or TypeLoadException or NotSupportedException)
                _isReadable = false;
            return default;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Connector")]
    [return: UnsafeAccessorType(Connector)]
    private static extern object? ConnectorOf(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_EnlistedTransaction")]
    private static extern Transaction? EnlistedTransactionOf(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_CachedCommand")]
    private static extern void Keep(NpgsqlConnection connection, NpgsqlCommand? command);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_CachedBatch")]
    private static extern void Keep(NpgsqlConnection connection, NpgsqlBatch? batch);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_InTransaction")]
    private static extern bool InTransaction([UnsafeAccessorType(Connector)] object connector);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_PreparedStatementManager")]
    [return: UnsafeAccessorType(Manager)]
    private static extern object ManagerOf([UnsafeAccessorType(Connector)] object connector);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "NumPrepared")]
    private static extern ref int CountOf([UnsafeAccessorType(Manager)] object manager);

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern NpgsqlDataReader NewReader([UnsafeAccessorType(Connector)] object connector);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_DataReader")]
    private static extern void Bind([UnsafeAccessorType(Connector)] object connector, NpgsqlDataReader reader);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Transaction")]
    private static extern NpgsqlTransaction? TransactionOf([UnsafeAccessorType(Connector)] object connector);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Transaction")]
    private static extern void Bind([UnsafeAccessorType(Connector)] object connector, NpgsqlTransaction? transaction);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "UnbindIfNecessary")]
    private static extern void Unbind(NpgsqlTransaction transaction);
}
