using System.Data;
using Npgsql;
using PgPool.Engine;

namespace PgPool.Sessions;

/// <summary>Ends sessions: those at rest by closing them, busy ones by having the server end what they run.</summary>
/// <remarks>
/// Closing a busy NpgsqlConnection hangs while a command runs, and reads the rest of an open result first, be it gigabytes. Closing its socket, if
/// that could be reached, would leave the statement running on the server. So the server is told to cancel the command, which needs no session; a COPY,
/// and what does not heed that, has its backend terminated from another session, one at a time for the whole pool.
/// </remarks>
internal sealed class SessionSeverer(SessionOpener opener, ConnectionPoolOptions options) : IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(10);

    private readonly BackendTerminator _terminator = new(opener, options);

    /// <summary>Completes when the session is ended, or nothing more can be done about it. Does not throw.</summary>
    public async ValueTask CloseAsync(NpgsqlConnection connection, SessionIdentity identity, bool async, CancellationToken severing)
    {
        try
        {
            // Closed before its transaction ends, it would stay on the server until then.
            var isFree = await SessionEnlistment.EndsAsync(connection, identity, options.TimeProvider, severing).ConfigureAwait(false);
            if ((!isFree || SessionState.IsBusy(connection)) && !await SeverAsync(connection, identity, async).ConfigureAwait(false))
                return;
            if (async)
                await SessionDeadline.RunAsync(DisposeAsync(connection), options.ResetTimeout, options.TimeProvider).ConfigureAwait(false);
            else
                connection.Dispose();
        }
        // It was to be ended, and is, or its server is out of reach.
        catch (Exception)
        {
        }
    }

    public void Dispose() => _terminator.Dispose();

    /// <summary>Keeps trying for a while, as the server may be full or away for a moment.</summary>
    /// <returns>Whether the session is ended, so that it can be closed; otherwise closing would hang, and it is left to the garbage collector.</returns>
    private async ValueTask<bool> SeverAsync(NpgsqlConnection connection, SessionIdentity identity, bool async)
    {
        var startedAt = options.TimeProvider.GetTimestamp();
        var patience = options.OpenTimeout + options.ResetTimeout;
        var session = identity.Current(connection);
        // The ordinary case: it needs no other session, and a pooler in between passes it on. A cancel that comes before its statement, or never, is lost:
        // Npgsql then breaks the connection after a while, and the statement runs on.
        if (SessionState.IsBusy(connection)
            && await CancelAsync(connection, async).ConfigureAwait(false)
            && await StopsExecutingAsync(connection, async).ConfigureAwait(false)
            && SessionState.Of(connection) == ConnectionState.Open)
        {
            return true;
        }
        while (true)
        {
            var backend = await _terminator.TryTerminateAsync(session, async).ConfigureAwait(false);
            // Where there is none of its number a pooler stands in between: closing is all that is left to do about an open COPY.
            if (await StopsExecutingAsync(connection, async).ConfigureAwait(false)
                && (backend != BackendState.Unknown || SessionState.Of(connection) == ConnectionState.Open))
            {
                return true;
            }
            if (options.TimeProvider.GetElapsedTime(startedAt) > patience)
                return false;
            await DelayAsync(options.ReconnectDelay, async).ConfigureAwait(false);
        }
    }

    /// <summary>A running command hears of its end by itself; what is only open, a reader or a COPY, when it is closed.</summary>
    private async ValueTask<bool> StopsExecutingAsync(NpgsqlConnection connection, bool async)
    {
        var startedAt = options.TimeProvider.GetTimestamp();
        while (SessionState.IsExecuting(connection) && options.TimeProvider.GetElapsedTime(startedAt) < options.ResetTimeout)
            await DelayAsync(LookAgain, async).ConfigureAwait(false);
        return !SessionState.IsExecuting(connection);
    }

    /// <summary>Npgsql cancels with blocking I/O alone, for as long as a deaf server lets it: not on a thread of the thread pool.</summary>
    private static Task<bool> CancelAsync(NpgsqlConnection connection, bool async)
    {
        if (!async)
            return Task.FromResult(TryCancel(connection));
        var result = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Background.Run(forBlocked: true, static (work, _) => work.result.SetResult(TryCancel(work.connection)), (connection, result));
        return result.Task;
    }

    /// <summary>Npgsql names the running command to whoever tries to run another.</summary>
    /// <returns>False for what it has no name of: a COPY.</returns>
    private static bool TryCancel(NpgsqlConnection connection)
    {
        try
        {
            var running = RunningCommand(connection);
            running?.Cancel();
            return running is not null;
        }
        // It has ended by itself, or broken, or its server is out of reach.
        catch (Exception)
        {
            return false;
        }
    }

    private static NpgsqlCommand? RunningCommand(NpgsqlConnection connection)
    {
        try
        {
            using var command = new NpgsqlCommand("-- which command runs?", connection) { CommandTimeout = 1 };
            command.ExecuteNonQuery();
            return null;
        }
        catch (NpgsqlOperationInProgressException exception)
        {
            return exception.CommandInProgress;
        }
    }

    private static async ValueTask<bool> DisposeAsync(NpgsqlConnection connection)
    {
        await connection.DisposeAsync().ConfigureAwait(false);
        return true;
    }

    private async ValueTask DelayAsync(TimeSpan delay, bool async)
    {
        if (async)
            await Task.Delay(delay, options.TimeProvider).ConfigureAwait(false);
        else
            Thread.Sleep(delay);
    }
}
