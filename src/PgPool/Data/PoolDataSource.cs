using System.Data.Common;
using Npgsql;

namespace PgPool.Data;

/// <summary>The pool as ADO.NET knows it. The pool is the user's: it is not disposed with this.</summary>
/// <param name="pool">What is lent.</param>
/// <param name="server">Where its connections lead to.</param>
/// <param name="refusesScopes">Whether opening in a TransactionScope is an error.</param>
internal sealed class PoolDataSource(ConnectionPool pool, NpgsqlConnectionStringBuilder server, bool refusesScopes) : DbDataSource
{
    private readonly ServerAddress _server = new(server);

    public override string ConnectionString => _server.ConnectionString;

    protected override DbConnection CreateDbConnection() => Connection();

    // Not an async method, as in DbDataSource: a rent is noted in the flow of whoever calls.
    protected override ValueTask<DbConnection> OpenDbConnectionAsync(CancellationToken cancellationToken = default)
    {
        var connection = Connection();
        return WhenOpenAsync(connection, connection.OpenAsync(cancellationToken));
    }

    protected override DbCommand CreateDbCommand(string? commandText = null)
        => new PoolCommand(Connection(), isItsOwn: true) { CommandText = commandText ?? "" };

    protected override DbBatch CreateDbBatch() => new PoolBatch(Connection(), isItsOwn: true);

    private static async ValueTask<DbConnection> WhenOpenAsync(PoolConnection connection, Task opening)
    {
        await opening.ConfigureAwait(false);
        return connection;
    }

    private PoolConnection Connection() => new(pool, _server, refusesScopes);
}
