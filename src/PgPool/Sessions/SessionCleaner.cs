using System.Data;
using Npgsql;

namespace PgPool.Sessions;

/// <summary>What the server is asked to do between two leases of a session: one round trip, and another where a transaction was left open.</summary>
/// <remarks>
/// <para>
/// A full reset is DISCARD ALL where the session has no prepared statements: a single statement, which takes half the time of its parts. Prepared
/// statements it would drop without Npgsql knowing; where there are any, or that is not known, its other parts are run one by one. Likewise before
/// PostgreSQL 12, where it ends the role that the connection string has set (Options=-c role=…) and leaves the session to the role that logged in.
/// </para>
/// <para>
/// Those would succeed inside a transaction left open, and leave it open. Where Npgsql is not known to know of one, they run in one of their own:
/// BeginTransaction() does no I/O, it throws when one is open, failed ones and those begun by raw SQL included, and otherwise queues a BEGIN that
/// travels with the first statement.
/// </para>
/// </remarks>
/// <param name="options">The pool's options.</param>
/// <param name="autoPrepares">Whether Npgsql prepares what is run often enough, DISCARD ALL too: it would drop itself.</param>
internal sealed class SessionCleaner(ConnectionPoolOptions options, bool autoPrepares)
{
    private const int DiscardKeepsRole = 12;

    private static readonly string[] Statements =
    [
        "SET SESSION AUTHORIZATION DEFAULT",
        "RESET ROLE",
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

    /// <summary>
    /// Whether Npgsql's count tells of all that is to be kept: nothing that the hook for new sessions has prepared by SQL, and no DISCARD ALL that Npgsql
    /// itself is about to prepare.
    /// </summary>
    private readonly bool _countTellsAll = !autoPrepares && options.OnConnectionOpened is null;

    /// <summary>Whether there is anything to ask of the server. No I/O.</summary>
    public bool Asks(NpgsqlConnection connection) => options.SessionReset switch
    {
        SessionReset.None => false,
        SessionReset.RollbackOnly => NpgsqlInternals.IsInTransaction(connection) != false,
        _ => true,
    };

    /// <returns>Whether a transaction had been left open.</returns>
    public async ValueTask<bool> CleanAsync(NpgsqlConnection connection, SessionIdentity identity, bool async)
    {
        var wasDirty = NpgsqlInternals.IsInTransaction(connection) == true;
        if (wasDirty)
            await ExecuteAsync(connection, "ROLLBACK", async).ConfigureAwait(false);
        if (options.SessionReset == SessionReset.RollbackOnly)
            return wasDirty || await RollBackUnknownAsync(connection, async).ConfigureAwait(false);

        if (_countTellsAll && NpgsqlInternals.HasPrepared(connection) == false && connection.PostgreSqlVersion.Major >= DiscardKeepsRole)
            await DiscardAllAsync(connection, identity, async).ConfigureAwait(false);
        else
            wasDirty |= await DiscardButPreparedAsync(connection, async).ConfigureAwait(false);
        if (identity.LostSettings(connection) is { } lost)
            await RestoreAsync(connection, lost, async).ConfigureAwait(false);
        return wasDirty;
    }

    private async ValueTask<bool> RollBackUnknownAsync(NpgsqlConnection connection, bool async)
    {
        var wasDirty = await BeginAsync(connection, async).ConfigureAwait(false);
        await ExecuteAsync(connection, "COMMIT", async).ConfigureAwait(false);
        return wasDirty;
    }

    private async ValueTask DiscardAllAsync(NpgsqlConnection connection, SessionIdentity identity, bool async)
    {
        var command = identity.DiscardAll ??= new NpgsqlCommand("DISCARD ALL", connection);
        command.CommandTimeout = SessionDeadline.CommandTimeout(options.ResetTimeout, async);
        await ExecuteAsync(command, async).ConfigureAwait(false);
    }

    private async ValueTask<bool> DiscardButPreparedAsync(NpgsqlConnection connection, bool async)
    {
        var wasDirty = await BeginAsync(connection, async).ConfigureAwait(false);
        if (async)
        {
            // Prepared before, the batch fails where that was forgotten; prepared only now, it does not tell.
            var prepared = NpgsqlInternals.CountPrepared(connection);
            await RunBatchAsync(connection).ConfigureAwait(false);
            if (NpgsqlInternals.CountPrepared(connection) > prepared)
                await ForgetLostAsync(connection, async).ConfigureAwait(false);
        }
        else
        {
            await ExecuteAsync(connection, StatementsInOne, async).ConfigureAwait(false);
            await ExecuteAsync(connection, "COMMIT", async).ConfigureAwait(false);
            await ForgetLostAsync(connection, async).ConfigureAwait(false);
        }
        return wasDirty;
    }

    /// <summary>Has Npgsql forget its prepared statements where the renter had the server forget them (DISCARD ALL, DEALLOCATE ALL).</summary>
    private async ValueTask ForgetLostAsync(NpgsqlConnection connection, bool async)
    {
        var believed = NpgsqlInternals.CountPrepared(connection);
        if (believed == 0)
            return;
        using var command = Command("SELECT count(*) FROM pg_catalog.pg_prepared_statements WHERE NOT from_sql", connection, async);
        var kept = (long)(async ? await command.ExecuteScalarAsync().ConfigureAwait(false) : command.ExecuteScalar())!;
        if (kept < believed)
            connection.UnprepareAll();
    }

    /// <summary>Queues a BEGIN, after what was left open has been rolled back.</summary>
    /// <returns>Whether there was.</returns>
    private async ValueTask<bool> BeginAsync(NpgsqlConnection connection, bool async)
    {
        try
        {
            connection.BeginTransaction();
            return false;
        }
        catch (InvalidOperationException) when (SessionState.Of(connection) == ConnectionState.Open)
        {
            await ExecuteAsync(connection, "ROLLBACK", async).ConfigureAwait(false);
            connection.BeginTransaction();
            return true;
        }
    }

    private static async ValueTask RunBatchAsync(NpgsqlConnection connection)
    {
        try
        {
            await RunPreparedAsync(connection).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InvalidSqlStatementName)
        {
            // The renter had the server forget its prepared statements (DISCARD ALL, DEALLOCATE ALL), which Npgsql goes on to believe in.
            using (var rollback = new NpgsqlCommand("ROLLBACK", connection) { CommandTimeout = 0 })
                await rollback.ExecuteNonQueryAsync().ConfigureAwait(false);
            connection.UnprepareAll();
            connection.BeginTransaction();
            await RunPreparedAsync(connection).ConfigureAwait(false);
        }
    }

    // Prepared, it costs the server half. Made anew each time: preparing is no I/O while Npgsql has the statements in its table, and a batch that was
    // kept would not notice that its renter has had that cleared (UnprepareAll), and go on by names that may be other statements' by then.
    private static async ValueTask RunPreparedAsync(NpgsqlConnection connection)
    {
        using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        foreach (var statement in Statements)
            batch.BatchCommands.Add(new NpgsqlBatchCommand(statement));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        await batch.PrepareAsync().ConfigureAwait(false);
        await batch.ExecuteNonQueryAsync().ConfigureAwait(false);
    }

    private async ValueTask RestoreAsync(NpgsqlConnection connection, Dictionary<string, string> settings, bool async)
    {
        using var command = Command("", connection, async);
        foreach (var (name, value) in settings)
        {
            command.CommandText += $"{(command.Parameters.Count == 0 ? "SELECT" : ",")} set_config('{name}', ${command.Parameters.Count + 1}, false)";
            command.Parameters.Add(new() { Value = value });
        }
        await ExecuteAsync(command, async).ConfigureAwait(false);
    }

    private async ValueTask ExecuteAsync(NpgsqlConnection connection, string sql, bool async)
    {
        using var command = Command(sql, connection, async);
        await ExecuteAsync(command, async).ConfigureAwait(false);
    }

    private static ValueTask<int> ExecuteAsync(NpgsqlCommand command, bool async)
        => async ? new(command.ExecuteNonQueryAsync()) : new(command.ExecuteNonQuery());

    private NpgsqlCommand Command(string sql, NpgsqlConnection connection, bool async)
        => new(sql, connection) { CommandTimeout = SessionDeadline.CommandTimeout(options.ResetTimeout, async) };
}
