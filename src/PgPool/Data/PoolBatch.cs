using System.Data;
using System.Data.Common;
using Npgsql;

namespace PgPool.Data;

/// <summary>A batch that finds its session when it runs, as <see cref="PoolCommand"/> does.</summary>
internal sealed class PoolBatch : NpgsqlBatch
{
    private CommandConnection _connection;

    /// <inheritdoc cref="PoolCommand(PoolConnection, bool)"/>
    public PoolBatch(PoolConnection connection, bool isItsOwn)
    {
        _connection = new CommandConnection(connection, isItsOwn);
        base.DbConnection = _connection.Shown;
    }

    protected override DbConnection? DbConnection
    {
        get => _connection.Shown ?? base.DbConnection;
        set
        {
            _connection = new CommandConnection(value as PoolConnection, isItsOwn: false);
            base.DbConnection = _connection.Shown ?? value;
        }
    }

    public override int ExecuteNonQuery() => _connection.Run(Bind, base.ExecuteNonQuery);

    public override Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken = default)
        => _connection.RunAsync(Bind, () => base.ExecuteNonQueryAsync(cancellationToken), cancellationToken);

    public override object? ExecuteScalar() => _connection.Run(Bind, base.ExecuteScalar);

    public override Task<object?> ExecuteScalarAsync(CancellationToken cancellationToken = default)
        => _connection.RunAsync(Bind, () => base.ExecuteScalarAsync(cancellationToken), cancellationToken);

    public override void Prepare()
    {
        _connection.Prepare(Bind);
        base.Prepare();
    }

    public override Task PrepareAsync(CancellationToken cancellationToken = default)
    {
        _connection.Prepare(Bind);
        return base.PrepareAsync(cancellationToken);
    }

    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => _connection.Read(Bind, behavior, base.ExecuteReader);

    protected override async Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken)
        => await _connection.ReadAsync(Bind, behavior, how => base.ExecuteReaderAsync(how, cancellationToken), cancellationToken).ConfigureAwait(false);

    private void Bind(NpgsqlConnection session)
    {
        if (base.DbConnection == session)
            return;
        // Npgsql forgets it with the connection.
        var transaction = Transaction;
        base.DbConnection = session;
        Transaction = transaction;
    }
}
