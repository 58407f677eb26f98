using System.Runtime.CompilerServices;
using Npgsql;

namespace PgPool.Sessions;

/// <summary>Whether Npgsql holds prepared statements of a session: DISCARD ALL would drop them on the server, and Npgsql go on to believe in them.</summary>
/// <remarks>
/// Npgsql's own pool chooses its reset by this count, but shows it to nobody, and so it is read from the inside: what it is worth stands in
/// PERFORMANCE.md. With another major version of Npgsql, or one that has it no more, the answer is yes, which costs time and breaks nothing.
/// </remarks>
internal static class PreparedStatements
{
    private const string Connector = "Npgsql.Internal.NpgsqlConnector, Npgsql";
    private const string Manager = "Npgsql.PreparedStatementManager, Npgsql";

    private static volatile bool _isCountKnown = typeof(NpgsqlConnection).Assembly.GetName().Version is { Major: 10 };

    /// <summary>False only where there are none for certain. No I/O.</summary>
    public static bool MayExist(NpgsqlConnection connection)
    {
        if (!_isCountKnown)
            return true;
        try
        {
            return ConnectorOf(connection) is not { } connector || CountOf(ManagerOf(connector)) > 0;
        }
        catch (Exception exception) when (exception is MissingMemberException or TypeLoadException or NotSupportedException)
        {
            _isCountKnown = false;
            return true;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Connector")]
    [return: UnsafeAccessorType(Connector)]
    private static extern object? ConnectorOf(NpgsqlConnection connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_PreparedStatementManager")]
    [return: UnsafeAccessorType(Manager)]
    private static extern object ManagerOf([UnsafeAccessorType(Connector)] object connector);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "NumPrepared")]
    private static extern ref int CountOf([UnsafeAccessorType(Manager)] object manager);
}
