using Npgsql;

namespace PgPool.Sessions;

/// <summary>What a session was when it was opened, to be compared when it comes back; with the commands kept for it.</summary>
internal sealed class SessionIdentity(NpgsqlConnection connection)
{
    private readonly string _database = connection.Database;

    public int ProcessId { get; } = connection.ProcessID;

    public (string? Host, int Port) Server { get; } = (connection.Host, connection.Port);

    /// <summary>The statements of the reset, made once per session.</summary>
    public NpgsqlBatch? ResetBatch { get; set; }

    /// <summary>False once the user closed and reopened the connection, or changed its database. No I/O.</summary>
    public bool Holds(NpgsqlConnection connection)
    {
        try
        {
            return connection.ProcessID == ProcessId && connection.Database == _database;
        }
        catch (InvalidOperationException)
        {
            // It was closed just now.
            return false;
        }
    }
}
