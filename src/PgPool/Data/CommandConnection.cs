using System.Data;
using Npgsql;

namespace PgPool.Data;

/// <summary>
/// What a command or batch runs on: a connection that its user opens and closes, one of its own that is open while it runs, or none of the pool's.
/// </summary>
/// <param name="connection">The connection; null: what it runs on is its own affair.</param>
/// <param name="isItsOwn">Opened for each run, and closed after it.</param>
internal sealed class CommandConnection(PoolConnection? connection, bool isItsOwn)
{
    /// <summary>What ADO.NET sees as the command's connection; null when that is the command's own affair.</summary>
    public NpgsqlConnection? Shown => connection?.InnerOrUnopened;

    /// <param name="bind">Puts the command on the session.</param>
    /// <param name="run">Runs it.</param>
    public T Run<T>(Action<NpgsqlConnection> bind, Func<T> run)
    {
        Enter(bind);
        try
        {
            return run();
        }
        finally
        {
            Leave(isItsOwn);
        }
    }

    /// <inheritdoc cref="Run"/>
    public async Task<T> RunAsync<T>(Action<NpgsqlConnection> bind, Func<Task<T>> run, CancellationToken cancellationToken)
    {
        await EnterAsync(bind, cancellationToken).ConfigureAwait(false);
        try
        {
            return await run().ConfigureAwait(false);
        }
        finally
        {
            await LeaveAsync(isItsOwn).ConfigureAwait(false);
        }
    }

    /// <summary>Runs a reader. Where its connection is to be closed with it, that is done here: Npgsql would end the session instead of returning it.</summary>
    public NpgsqlDataReader Read(Action<NpgsqlConnection> bind, CommandBehavior behavior, Func<CommandBehavior, NpgsqlDataReader> read)
    {
        Enter(bind);
        var closes = Closes(behavior);
        try
        {
            var reader = read(Without(behavior, closes));
            if (closes)
                reader.ReaderClosed += (_, _) => connection?.Close();
            return reader;
        }
        catch
        {
            Leave(closes);
            throw;
        }
    }

    /// <inheritdoc cref="Read"/>
    public async Task<NpgsqlDataReader> ReadAsync(
        Action<NpgsqlConnection> bind, CommandBehavior behavior, Func<CommandBehavior, Task<NpgsqlDataReader>> read, CancellationToken cancellationToken)
    {
        await EnterAsync(bind, cancellationToken).ConfigureAwait(false);
        var closes = Closes(behavior);
        try
        {
            var reader = await read(Without(behavior, closes)).ConfigureAwait(false);
            // An asynchronous return only begins there: the pool finishes it.
            if (closes)
                reader.ReaderClosed += (_, _) => _ = connection?.CloseAsync();
            return reader;
        }
        catch
        {
            await LeaveAsync(closes).ConfigureAwait(false);
            throw;
        }
    }

    /// <exception cref="NotSupportedException">The connection is open for a run only, and nothing prepared would outlast it.</exception>
    public void Prepare(Action<NpgsqlConnection> bind)
    {
        if (isItsOwn)
            throw new NotSupportedException("A data source's own commands cannot be prepared: open a connection, and prepare a command of it.");
        Enter(bind);
    }

    private bool Closes(CommandBehavior behavior) => connection is not null && (isItsOwn || behavior.HasFlag(CommandBehavior.CloseConnection));

    private static CommandBehavior Without(CommandBehavior behavior, bool closes) => closes ? behavior & ~CommandBehavior.CloseConnection : behavior;

    private void Enter(Action<NpgsqlConnection> bind)
    {
        if (connection is null)
            return;
        if (isItsOwn)
            connection.Open();
        bind(connection.Inner);
    }

    private async ValueTask EnterAsync(Action<NpgsqlConnection> bind, CancellationToken cancellationToken)
    {
        if (connection is null)
            return;
        if (isItsOwn)
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        bind(connection.Inner);
    }

    private void Leave(bool closes)
    {
        if (closes)
            connection?.Close();
    }

    private async ValueTask LeaveAsync(bool closes)
    {
        if (closes && connection is not null)
            await connection.CloseAsync().ConfigureAwait(false);
    }
}
