using System.Data;
using Npgsql;

namespace PgPool.Sessions;

/// <summary>What Npgsql says of a connection, without I/O and without exceptions.</summary>
internal static class SessionState
{
    /// <summary>
    /// The full state. A connection that another thread breaks or closes at this very moment can make Npgsql throw where it should answer: then it is
    /// broken.
    /// </summary>
    public static ConnectionState Of(NpgsqlConnection connection)
    {
        try
        {
            return connection.FullState;
        }
        catch (Exception)
        {
            return ConnectionState.Broken;
        }
    }

    /// <summary>A command runs, or a reader or COPY is open.</summary>
    public static bool IsBusy(NpgsqlConnection connection) => (Of(connection) & (ConnectionState.Executing | ConnectionState.Fetching)) != 0;

    /// <summary>A command runs: closing the connection now would hang.</summary>
    public static bool IsExecuting(NpgsqlConnection connection) => (Of(connection) & ConnectionState.Executing) != 0;
}
