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
        _connection = new CommandConnection(connection, isItsOwn, Bind);
        base.DbConnection = _connection.Shown;
    }

    protected override DbConnection? DbConnection
    {
        get => _connection.Shown ?? base.DbConnection;
        set
        {
            _connection = new CommandConnection(value as PoolConnection, isItsOwn: false, Bind);
            base.DbConnection = _connection.Shown ?? value;
        }
    }

    protected override DbTransaction? DbTransaction
    {
        get => base.DbTransaction;
        set
        {
            // Npgsql forgets it when the connection changes.
            if (value is not null)
                _connection.BindIfOpen();
            base.DbTransaction = value;
        }
    }

    public override int ExecuteNonQuery() => _connection.Run(base.ExecuteNonQuery);

    public override Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken = default)
        => _connection.RunAsync(() => base.ExecuteNonQueryAsync(cancellationToken), cancellationToken);

    public override object? ExecuteScalar() => _connection.Run(base.ExecuteScalar);

    public override Task<object?> ExecuteScalarAsync(CancellationToken cancellationToken = default)
        => _connection.RunAsync(() => base.ExecuteScalarAsync(cancellationToken), cancellationToken);

    public override void Prepare()
    {
        _connection.Prepare();
        base.Prepare();
    }

    public override Task PrepareAsync(CancellationToken cancellationToken = default)
    {
        _connection.Prepare();
        return base.PrepareAsync(cancellationToken);
    }

    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => _connection.Read(behavior, base.ExecuteReader);

    protected override Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken)
        => _connection.ReadAsync(behavior, how => base.ExecuteReaderAsync(how, cancellationToken), cancellationToken);

    private void Bind(NpgsqlConnection session)
    {
        if (base.DbConnection != session)
            base.DbConnection = session;
    }
}
