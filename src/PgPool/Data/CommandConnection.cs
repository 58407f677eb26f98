using System.Data;
using System.Data.Common;
using Npgsql;

namespace PgPool.Data;

/// <summary>
/// What a command or batch runs on: a connection that its user opens and closes, one of its own that is open while it runs, or none of the pool's.
/// </summary>
/// <param name="connection">The connection; null: what it runs on is its own affair.</param>
/// <param name="isItsOwn">Opened for each run, and closed after it.</param>
/// <param name="bind">Puts the command on a session.</param>
internal sealed class CommandConnection(PoolConnection? connection, bool isItsOwn, Action<NpgsqlConnection> bind)
{
    /// <summary>What ADO.NET sees as the command's connection; null when that is the command's own affair.</summary>
    public NpgsqlConnection? Shown => connection?.InnerOrUnopened;

    /// <summary>Runs what is over when it returns.</summary>
    public T Run<T>(Func<T> run)
    {
        Open();
        try
        {
            Bind();
            return run();
        }
        finally
        {
            if (isItsOwn)
                connection!.Close();
        }
    }

    /// <inheritdoc cref="Run{T}"/>
    public Task<T> RunAsync<T>(Func<Task<T>> run, CancellationToken cancellationToken) => RunOpenedAsync(OpenAsync(cancellationToken), run);

    /// <summary>Runs a reader. Where its connection is to be closed with it, the pool's reader does that: Npgsql's would end the session instead.</summary>
    public DbDataReader Read(CommandBehavior behavior, Func<CommandBehavior, NpgsqlDataReader> read)
    {
        Open();
        var closes = Closes(behavior);
        try
        {
            Bind();
            return Wrap(read(Without(behavior, closes)), closes);
        }
        catch
        {
            if (closes)
                connection!.Close();
            throw;
        }
    }

    /// <inheritdoc cref="Read"/>
    public Task<DbDataReader> ReadAsync(CommandBehavior behavior, Func<CommandBehavior, Task<NpgsqlDataReader>> read, CancellationToken cancellationToken)
        => ReadOpenedAsync(OpenAsync(cancellationToken), behavior, read);

    /// <summary>Puts the command on its session, to be prepared there.</summary>
    /// <exception cref="NotSupportedException">The connection is open for a run only, and nothing prepared would outlast it.</exception>
    public void Prepare()
    {
        if (isItsOwn)
            throw new NotSupportedException("A data source's own commands cannot be prepared: open a connection, and prepare a command of it.");
        Bind();
    }

    /// <summary>Puts the command on its session, if there is one: what belongs to that would be forgotten with another.</summary>
    public void BindIfOpen()
    {
        if (connection?.Lease is not null)
            Bind();
    }

    private async Task<T> RunOpenedAsync<T>(Task opening, Func<Task<T>> run)
    {
        await opening.ConfigureAwait(false);
        try
        {
            Bind();
            return await run().ConfigureAwait(false);
        }
        finally
        {
            if (isItsOwn)
                await connection!.CloseAsync().ConfigureAwait(false);
        }
    }

    private async Task<DbDataReader> ReadOpenedAsync(Task opening, CommandBehavior behavior, Func<CommandBehavior, Task<NpgsqlDataReader>> read)
    {
        await opening.ConfigureAwait(false);
        var closes = Closes(behavior);
        try
        {
            Bind();
            return Wrap(await read(Without(behavior, closes)).ConfigureAwait(false), closes);
        }
        catch
        {
            if (closes)
                await connection!.CloseAsync().ConfigureAwait(false);
            throw;
        }
    }

    private bool Closes(CommandBehavior behavior) => connection is not null && (isItsOwn || behavior.HasFlag(CommandBehavior.CloseConnection));

    private static CommandBehavior Without(CommandBehavior behavior, bool closes) => closes ? behavior & ~CommandBehavior.CloseConnection : behavior;

    private DbDataReader Wrap(NpgsqlDataReader reader, bool closes) => closes ? new PoolReader(reader, connection!) : reader;

    private void Open()
    {
        if (isItsOwn)
            connection!.Open();
    }

    // Not an async method: a rent is noted in the flow of whoever calls.
    private Task OpenAsync(CancellationToken cancellationToken) => isItsOwn ? connection!.OpenAsync(cancellationToken) : Task.CompletedTask;

    private void Bind()
    {
        if (connection is not null)
            bind(connection.Inner);
    }
}
