using System.Data;
using Npgsql;
using PgPool.Engine;

namespace PgPool.Sessions;

/// <summary>Cleans a session that comes back from a lease, asynchronously in one round trip, with Npgsql's public means alone.</summary>
/// <remarks>
/// <para>
/// DISCARD ALL would not do: it deallocates prepared statements that Npgsql goes on to believe in. The statements here are its other parts.
/// </para>
/// <para>
/// They run in a transaction of their own, because that is how a transaction left open is found: BeginTransaction() does no I/O, it throws when one
/// is open, failed ones and those begun by raw SQL included, and otherwise queues a BEGIN that travels with the first statement. Without it the
/// statements would succeed inside the renter's open transaction, and leave it open.
/// </para>
/// </remarks>
internal sealed class SessionResetter(ConnectionPoolOptions options, SessionHooks hooks)
{
    private static readonly string[] Statements =
    [
        "SET SESSION AUTHORIZATION DEFAULT",
        "RESET ALL",
        "CLOSE ALL",
        "UNLISTEN *",
        "SELECT pg_advisory_unlock_all()",
        "DISCARD SEQUENCES",
        "DISCARD TEMP",
    ];

    // Npgsql sends a synchronous batch with the help of a thread-pool thread, and hangs where none is free: so no batch there, but one statement.
    private static readonly string StatementsInOne =
        $"DO $reset$ BEGIN {string.Concat(Statements.Select(statement => $"EXECUTE '{statement}'; "))}END $reset$";

    public async ValueTask<ResetVerdict> ResetAsync(NpgsqlConnection connection, SessionIdentity identity, bool async)
    {
        var wasDirty = false;
        try
        {
            if (options.SessionReset != SessionReset.None)
                wasDirty = await SessionDeadline.RunAsync(CleanAsync(connection, identity, async), options.ResetTimeout, options.TimeProvider).ConfigureAwait(false);
            if (options.RequireReadWrite && SessionValidator.ReportsReadOnly(connection))
                return new ResetVerdict(CloseReason.ValidationFailed, wasDirty, ServerIsSuspect: true);
            await hooks.ReturnedAsync(connection, async).ConfigureAwait(false);
            return new ResetVerdict(WasDirty: wasDirty, AnsweredNow: options.SessionReset != SessionReset.None);
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

    /// <returns>Whether a transaction had been left open.</returns>
    private async ValueTask<bool> CleanAsync(NpgsqlConnection connection, SessionIdentity identity, bool async)
    {
        var wasDirty = false;
        try
        {
            connection.BeginTransaction();
        }
        catch (InvalidOperationException) when (SessionState.Of(connection) == ConnectionState.Open)
        {
            wasDirty = true;
            await ExecuteAsync(connection, "ROLLBACK", async).ConfigureAwait(false);
            connection.BeginTransaction();
        }

        if (options.SessionReset == SessionReset.RollbackOnly)
        {
            await ExecuteAsync(connection, "COMMIT", async).ConfigureAwait(false);
            return wasDirty;
        }
        if (async)
        {
            await RunBatchAsync(connection, identity).ConfigureAwait(false);
        }
        else
        {
            await ExecuteAsync(connection, StatementsInOne, async).ConfigureAwait(false);
            await ExecuteAsync(connection, "COMMIT", async).ConfigureAwait(false);
        }
        if (identity.LostSettings(connection) is { } lost)
            await RestoreAsync(connection, lost, async).ConfigureAwait(false);
        return wasDirty;
    }

    private async ValueTask RestoreAsync(NpgsqlConnection connection, Dictionary<string, string> settings, bool async)
    {
        using var command = Command("", connection, async);
        foreach (var (name, value) in settings)
        {
            command.CommandText += $"{(command.Parameters.Count == 0 ? "SELECT" : ",")} set_config('{name}', ${command.Parameters.Count + 1}, false)";
            command.Parameters.Add(new() { Value = value });
        }
        _ = async ? await command.ExecuteNonQueryAsync().ConfigureAwait(false) : command.ExecuteNonQuery();
    }

    private async ValueTask RunBatchAsync(NpgsqlConnection connection, SessionIdentity identity)
    {
        try
        {
            identity.ResetBatch ??= await PrepareBatchAsync(connection).ConfigureAwait(false);
            await identity.ResetBatch.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InvalidSqlStatementName)
        {
            // The renter had the server forget its prepared statements (DISCARD ALL, DEALLOCATE ALL), which Npgsql goes on to believe in.
            await ExecuteAsync(connection, "ROLLBACK", async: true).ConfigureAwait(false);
            connection.UnprepareAll();
            connection.BeginTransaction();
            identity.ResetBatch = await PrepareBatchAsync(connection).ConfigureAwait(false);
            await identity.ResetBatch.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask ExecuteAsync(NpgsqlConnection connection, string sql, bool async)
    {
        using var command = Command(sql, connection, async);
        _ = async ? await command.ExecuteNonQueryAsync().ConfigureAwait(false) : command.ExecuteNonQuery();
    }

    private NpgsqlCommand Command(string sql, NpgsqlConnection connection, bool async)
        => new(sql, connection) { CommandTimeout = SessionDeadline.CommandTimeout(options.ResetTimeout, async) };

    // Prepared, it costs the server half.
    private static async ValueTask<NpgsqlBatch> PrepareBatchAsync(NpgsqlConnection connection)
    {
        var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        foreach (var statement in Statements)
            batch.BatchCommands.Add(new NpgsqlBatchCommand(statement));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        await batch.PrepareAsync().ConfigureAwait(false);
        return batch;
    }
}
