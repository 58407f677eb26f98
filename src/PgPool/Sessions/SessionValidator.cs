using Npgsql;

namespace PgPool.Sessions;

/// <summary>Asks the server whether a session still lives.</summary>
internal sealed class SessionValidator(ConnectionPoolOptions options)
{
    // A comment alone is the cheapest round trip there is: the server answers EmptyQueryResponse.
    private const string Ping = "-- ping";

    // True in recovery too, and known to every version of the server.
    private const string PingForReadOnly = "SELECT current_setting('transaction_read_only')";

    public async ValueTask<bool> ValidateAsync(NpgsqlConnection connection, bool async)
    {
        try
        {
            return await SessionDeadline.RunAsync(PingAsync(connection, options.ValidationTimeout, async), options.ValidationTimeout, options.TimeProvider).ConfigureAwait(false);
        }
        // Whatever is wrong with it, it is not fit to be lent.
        catch (Exception)
        {
            return false;
        }
    }

    /// <summary>Asks a session just opened: a pooler lets a client in before it has a server for it, and may repeat what that once said of itself.</summary>
    /// <returns>False for a server that is read-only, where one is wanted that is not.</returns>
    public ValueTask<bool> AskAsync(NpgsqlConnection connection, TimeSpan timeout, bool async)
        => SessionDeadline.RunAsync(PingAsync(connection, timeout, async), timeout, options.TimeProvider);

    /// <summary>What the server has said of itself, without asking: from version 14 on. A pooler may repeat what it once heard.</summary>
    public static bool ReportsReadOnly(NpgsqlConnection connection)
        => IsOn(connection, "in_hot_standby") || IsOn(connection, "default_transaction_read_only");

    private async ValueTask<bool> PingAsync(NpgsqlConnection connection, TimeSpan timeout, bool async)
    {
        using var command = new NpgsqlCommand(options.RequireReadWrite ? PingForReadOnly : Ping, connection)
        {
            CommandTimeout = SessionDeadline.CommandTimeout(timeout, async),
        };
        if (!options.RequireReadWrite)
        {
            _ = async ? await command.ExecuteNonQueryAsync().ConfigureAwait(false) : command.ExecuteNonQuery();
            return true;
        }
        var readOnly = async ? await command.ExecuteScalarAsync().ConfigureAwait(false) : command.ExecuteScalar();
        return readOnly is "off";
    }

    private static bool IsOn(NpgsqlConnection connection, string parameter)
        => connection.PostgresParameters.TryGetValue(parameter, out var value) && value == "on";
}
