using System.Runtime.CompilerServices;
using Npgsql;

namespace PgPool.Sessions;

/// <summary>What Npgsql knows of a session and shows to nobody: whether it is in a transaction, and whether it has prepared statements. No I/O.</summary>
/// <remarks>
/// Npgsql's own pool chooses its reset by these two, and so does this one: they are read from the inside, nothing is written. What that is worth stands
/// in PERFORMANCE.md. With another major version of Npgsql, or one that has them no more, the answer is that it is not known, which costs time and
/// breaks nothing.
/// </remarks>
internal static class NpgsqlKnowledge
{
    private const string Connector = "Npgsql.Internal.NpgsqlConnector, Npgsql";
    private const string Manager = "Npgsql.PreparedStatementManager, Npgsql";

    private static volatile bool _isReadable = typeof(NpgsqlConnection).Assembly.GetName().Version is { Major: 10 };

    /// <summary>Whether a transaction is open, one that has failed or is yet to be begun by the next command included; null: not known.</summary>
    public static bool? IsInTransaction(NpgsqlConnection connection) => Read(connection, static connector => InTransaction(connector));

    /// <summary>Whether there are statements prepared by way of Npgsql, explicitly or automatically; null: not known.</summary>
    public static bool? HasPrepared(NpgsqlConnection connection) => Read(connection, static connector => CountOf(ManagerOf(connector)) > 0);

    private static bool? Read(NpgsqlConnection connection, Func<object, bool> question)
    {
        if (!_isReadable)
            return null;
        try
        {
            return ConnectorOf(connection) is { } connector ? question(connector) : null;
        }
        // Whatever else it was, a session that breaks just now among it: it is not known.
        catch (Exception exception)
        {
            if (exception is MissingMemberException or TypeLoadException or NotSupportedException)
                _isReadable = false;
            return null;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Connector")]
    [return: UnsafeAccessorType(Connector)]
    private static extern object? ConnectorOf(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_InTransaction")]
    private static extern bool InTransaction([UnsafeAccessorType(Connector)] object connector);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_PreparedStatementManager")]
    [return: UnsafeAccessorType(Manager)]
    private static extern object ManagerOf([UnsafeAccessorType(Connector)] object connector);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "NumPrepared")]
    private static extern ref int CountOf([UnsafeAccessorType(Manager)] object manager);
}
