using System.Data;
using Npgsql;
using PgPool.Engine;

namespace PgPool.Sessions;

/// <summary>Has a session that comes back from a lease cleaned within its time, runs the hook, and says what is to become of it.</summary>
internal sealed class SessionResetter(ConnectionPoolOptions options, SessionCleaner cleaner, SessionHooks hooks)
{
    private readonly SharedDeadline _deadline = new(options.ResetTimeout, options.TimeProvider);

    /// <summary>Whether the reset of this session takes more than a look at it. No I/O.</summary>
    public bool TakesTime(NpgsqlConnection connection) => cleaner.Asks(connection) || options.OnConnectionReturned is not null;

    public async ValueTask<ResetVerdict> ResetAsync(NpgsqlConnection connection, SessionIdentity identity, bool async)
    {
        var wasDirty = false;
        var asks = cleaner.Asks(connection);
        try
        {
            NpgsqlInternals.Unbind(connection);
            if (asks)
                wasDirty = await _deadline.RunAsync(cleaner.CleanAsync(connection, identity, async)).ConfigureAwait(false);
            if (options.RequireReadWrite && SessionValidator.ReportsReadOnly(connection))
                return new ResetVerdict(CloseReason.ValidationFailed, wasDirty, ServerIsSuspect: true);
            await hooks.ReturnedAsync(connection, async).ConfigureAwait(false);
            return new ResetVerdict(WasDirty: wasDirty, AnsweredNow: asks);
        }
        catch (HookFailedException exception)
        {
            return new ResetVerdict(CloseReason.ResetFailed, wasDirty, Error: exception);
        }
        // A session that could not be cleaned is not lent again, whatever the reason.
        catch (Exception exception)
        {
            var reason = SessionState.Of(connection) == ConnectionState.Broken ? CloseReason.Broken : CloseReason.ResetFailed;
            // A session that broke has told so by itself.
            return new ResetVerdict(reason, wasDirty, Error: exception, ServerIsSuspect: reason == CloseReason.ResetFailed);
        }
    }
}
