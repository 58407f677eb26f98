using System.Data.Common;
using Npgsql;

namespace PgPool.Data;

/// <summary>The pool as ADO.NET knows it. The pool is the user's: it is not disposed with this.</summary>
internal sealed class PoolDataSource(ConnectionPool pool, NpgsqlConnectionStringBuilder server) : DbDataSource
{
    private readonly ServerAddress _server = new(server);

    public override string ConnectionString => _server.ConnectionString;

    protected override DbConnection CreateDbConnection() => new PoolConnection(pool, _server);

    protected override DbCommand CreateDbCommand(string? commandText = null)
        => new PoolCommand(new PoolConnection(pool, _server), isItsOwn: true) { CommandText = commandText ?? "" };

    protected override DbBatch CreateDbBatch() => new PoolBatch(new PoolConnection(pool, _server), isItsOwn: true);
}
