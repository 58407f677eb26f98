using Npgsql;

namespace PgPool.Sessions;

/// <summary>Has the server end backends, from another session: one at a time for the whole pool, as each needs a connection more for a moment.</summary>
internal sealed class BackendTerminator(SessionOpener opener, ConnectionPoolOptions options) : IDisposable
{
    // Behind a pooler the number may be made up: it must not hit a session of another role or database that happens to bear it.
    private const string Where = "FROM pg_stat_activity WHERE pid = $1 AND usename = session_user AND datname = current_database()";

    // From version 14 on the server itself waits until the backend is gone.
    private const string Terminate = "SELECT pg_terminate_backend(pid) " + Where;
    private const string TerminateAndWait = "SELECT pg_terminate_backend(pid, $2) " + Where;

    private readonly SemaphoreSlim _oneAtATime = new(1);

    /// <summary>Does not throw.</summary>
    public async ValueTask<BackendState> TryTerminateAsync(SessionIdentity session, bool async)
    {
        // Where the server does not answer, each of many would otherwise wait for all before it.
        if (!(async ? await _oneAtATime.WaitAsync(options.OpenTimeout).ConfigureAwait(false) : _oneAtATime.Wait(options.OpenTimeout)))
            return BackendState.Unknown;
        try
        {
            return await TerminateAsync(session.ProcessId, session.Server, async).ConfigureAwait(false);
        }
        // Whatever it was: there is another try.
        catch (Exception)
        {
            return BackendState.Unknown;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async ValueTask<BackendState> TerminateAsync(int processId, (string? Host, int Port) server, bool async)
    {
        using var janitor = await opener.OpenAsync(async, CancellationToken.None).ConfigureAwait(false);
        // Of several hosts this may be another one, where the number is somebody else's.
        if ((janitor.Host, janitor.Port) != server)
            return BackendState.Unknown;
        var waits = janitor.PostgreSqlVersion.Major >= 14;
        using var command = new NpgsqlCommand(waits ? TerminateAndWait : Terminate, janitor);
        command.CommandTimeout = SessionDeadline.CommandTimeout(options.ResetTimeout * 2, async: false);
        command.Parameters.Add(new() { Value = processId });
        if (waits)
            command.Parameters.Add(new() { Value = (long)options.ResetTimeout.TotalMilliseconds });
        var terminated = async ? await command.ExecuteScalarAsync().ConfigureAwait(false) : command.ExecuteScalar();
        return terminated switch
        {
            true => BackendState.Gone,
            // Told to end, it has not in time.
            false => BackendState.Unknown,
            _ => BackendState.NotThere,
        };
    }

    public void Dispose() => _oneAtATime.Dispose();
}
