using System.Data;
using Npgsql;

namespace PgPool.Sessions;

/// <summary>Ends sessions: those at rest by closing them, busy ones by having the server end their backend.</summary>
/// <remarks>
/// Closing a busy NpgsqlConnection hangs while a command runs, and reads the rest of an open result first, be it gigabytes. Closing its socket, if
/// that could be reached, would leave the statement running on the server. So another session terminates the backend; the busy one then fails.
/// </remarks>
internal sealed class SessionSeverer(SessionOpener opener, ConnectionPoolOptions options)
{
    // Behind a pooler the number may be made up: it must not hit a session of another role or database that happens to bear it.
    private const string Where = "FROM pg_stat_activity WHERE pid = $1 AND usename = session_user AND datname = current_database()";

    // From version 14 on the server itself waits until the backend is gone.
    private const string Terminate = "SELECT pg_terminate_backend(pid) " + Where;
    private const string TerminateAndWait = "SELECT pg_terminate_backend(pid, $2) " + Where;

    /// <summary>Completes when the session is ended, or nothing more can be done about it.</summary>
    public async ValueTask CloseAsync(NpgsqlConnection connection, int processId, bool async)
    {
        try
        {
            if (IsBusy(connection))
                await SeverAsync(connection, processId, async).ConfigureAwait(false);
            // Still executing, it would hang: then it is left to fail by itself, and to the garbage collector.
            if ((connection.FullState & ConnectionState.Executing) != 0)
                return;
            if (async)
                await connection.DisposeAsync().ConfigureAwait(false);
            else
                connection.Dispose();
        }
#pragma warning disable CA1031 // It was to be ended, and is.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private static bool IsBusy(NpgsqlConnection connection) => (connection.FullState & (ConnectionState.Executing | ConnectionState.Fetching)) != 0;

    private async ValueTask SeverAsync(NpgsqlConnection connection, int processId, bool async)
    {
        var broken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        StateChangeEventHandler handler = (_, _) => broken.TrySetResult();
        connection.StateChange += handler;
        try
        {
            await TerminateAsync(processId, async).ConfigureAwait(false);
            // A running command hears of it by itself; what is only open, a reader or a COPY, when it is closed.
            if ((connection.FullState & ConnectionState.Executing) == 0)
                return;
            if (async)
                await broken.Task.WaitAsync(options.ResetTimeout, options.TimeProvider).ConfigureAwait(false);
            else
                broken.Task.Wait(options.ResetTimeout);
        }
        finally
        {
            connection.StateChange -= handler;
        }
    }

    private async ValueTask TerminateAsync(int processId, bool async)
    {
        var janitor = await opener.OpenBareAsync(async, CancellationToken.None).ConfigureAwait(false);
        try
        {
            var waits = janitor.PostgreSqlVersion.Major >= 14;
            using var command = new NpgsqlCommand(waits ? TerminateAndWait : Terminate, janitor);
            command.Parameters.Add(new() { Value = processId });
            if (waits)
                command.Parameters.Add(new() { Value = (long)options.ResetTimeout.TotalMilliseconds });
            _ = async ? await command.ExecuteNonQueryAsync().ConfigureAwait(false) : command.ExecuteNonQuery();
        }
        finally
        {
            janitor.Dispose();
        }
    }
}
