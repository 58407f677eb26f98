using System.Data;
using Npgsql;

namespace PgPool.Sessions;

/// <summary>How many connections the server allows: asked once, on the first session, as a full server would not tell.</summary>
internal sealed class ServerCapacity
{
    private volatile bool _asked;
    private volatile int _maxConnections;

    /// <summary>The server's max_connections, if it is known.</summary>
    public int? MaxConnections => _maxConnections is var known and > 0 ? known : null;

    public async ValueTask AskOnceAsync(NpgsqlConnection connection, TimeSpan timeout, TimeProvider time, bool async)
    {
        if (_asked)
            return;
        var answer = await SessionDeadline.RunAsync(AskAsync(connection, timeout, async), timeout, time).ConfigureAwait(false);
        _maxConnections = int.TryParse(answer, out var maximum) ? maximum : 0;
        _asked = true;
    }

    private static async ValueTask<string?> AskAsync(NpgsqlConnection connection, TimeSpan timeout, bool async)
    {
        // Null where the setting is unknown: not every server that speaks the protocol is PostgreSQL.
        using var command = new NpgsqlCommand("SELECT current_setting('max_connections', true)", connection)
        {
            CommandTimeout = SessionDeadline.CommandTimeout(timeout, async),
        };
        try
        {
            return (async ? await command.ExecuteScalarAsync().ConfigureAwait(false) : command.ExecuteScalar()) as string;
        }
        catch (PostgresException) when (SessionState.Of(connection) == ConnectionState.Open)
        {
            return null;
        }
    }
}
