using System.Data;
using System.Data.Common;
using Npgsql;

namespace PgPool.Data;

/// <summary>A command that finds its session when it runs: it may be made before its connection is opened, and outlive several leases.</summary>
internal sealed class PoolCommand : NpgsqlCommand
{
    private CommandConnection _connection;

    /// <param name="connection">What it runs on.</param>
    /// <param name="isItsOwn">Opened for each run, and closed after it.</param>
    public PoolCommand(PoolConnection connection, bool isItsOwn)
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

    public override Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken)
        => _connection.RunAsync(() => base.ExecuteNonQueryAsync(cancellationToken), cancellationToken);

    public override object? ExecuteScalar() => _connection.Run(base.ExecuteScalar);

    public override Task<object?> ExecuteScalarAsync(CancellationToken cancellationToken)
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
