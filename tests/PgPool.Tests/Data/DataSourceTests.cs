using System.Data;
using System.Data.Common;
using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Data;

public sealed class DataSourceTests(ServerFixture fixture) : DataSourceTest(fixture)
{
    [Theory]
    [MemberData(nameof(Modes))]
    public async Task OpenAndClose_RentAndReturn(bool async)
    {
        var pool = Pool();
        using var source = pool.AsDataSource();
        List<(ConnectionState, ConnectionState)> changes = [];
        var connection = source.CreateConnection();
        connection.StateChange += (_, change) => changes.Add((change.OriginalState, change.CurrentState));

        Assert.Equal((ConnectionState.Closed, 0L), (connection.State, pool.GetStatistics().Rented));
        await OpenAsync(connection, async);
        Assert.Equal((ConnectionState.Open, 1), (connection.State, pool.GetStatistics().Leased));
        Assert.Throws<InvalidOperationException>(connection.Open);
        await CloseAsync(connection, async);
        await CloseAsync(connection, async);

        Assert.Equal(ConnectionState.Closed, connection.State);
        Assert.Equal([(ConnectionState.Closed, ConnectionState.Open), (ConnectionState.Open, ConnectionState.Closed)], changes);
        await SettledAsync(pool);
        Assert.Equal((1, 1L), (pool.GetStatistics().Idle, pool.GetStatistics().Opened));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Disposing_TheConnectionReturnsItAndTheDataSourceLeavesThePool(bool async)
    {
        var pool = Pool();
        var source = pool.AsDataSource();
        var connection = async ? await source.OpenConnectionAsync(Stop) : source.OpenConnection();

        if (async)
        {
            await connection.DisposeAsync();
            await source.DisposeAsync();
        }
        else
        {
            connection.Dispose();
            source.Dispose();
        }

        await SettledAsync(pool);
        await using var lease = await pool.RentAsync(Stop);
        Assert.Equal(1, await ScalarAsync<int>(lease, "SELECT 1"));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Command_MadeBeforeItsConnectionIsOpened_FindsEachOfItsLeases(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var connection = pool.AsDataSource().CreateConnection();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT pg_backend_pid()";
        Assert.IsType<NpgsqlConnection>(command.Connection);
        Assert.Throws<InvalidOperationException>(command.ExecuteScalar);

        await OpenAsync(connection, async);
        var first = await ScalarAsync(command, async);
        await CloseAsync(connection, async);
        pool.Clear();
        await OpenAsync(connection, async);

        Assert.NotEqual(first, await ScalarAsync(command, async));
        Assert.IsAssignableFrom<NpgsqlCommand>(command);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task DataSourceCommand_OpensAndClosesForEachRun(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        var source = pool.AsDataSource();
        await using var command = source.CreateCommand("SELECT generate_series(1, 3)");

        Assert.Equal(1, await ScalarAsync(command, async));
        Assert.Equal(-1, async ? await command.ExecuteNonQueryAsync(Stop) : command.ExecuteNonQuery());
        var reader = await ReaderAsync(command, CommandBehavior.Default, async);
        Assert.Equal(1, pool.GetStatistics().Leased);
        Assert.True(await reader.ReadAsync(Stop));
        await DisposeAsync(reader, async);

        await SettledAsync(pool);
        Assert.Equal((3L, 0L), (pool.GetStatistics().Rented, pool.GetStatistics().Closed));
        Assert.Throws<NotSupportedException>(command.Prepare);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task DataSourceCommand_ThatFails_GivesItsLeaseBack(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var command = pool.AsDataSource().CreateCommand("SELECT 1 / 0");

        await Assert.ThrowsAsync<PostgresException>(() => ScalarAsync(command, async));
        await Assert.ThrowsAsync<PostgresException>(() => ReaderAsync(command, CommandBehavior.Default, async));

        await SettledAsync(pool);
        Assert.Equal((2L, 0L), (pool.GetStatistics().Rented, pool.GetStatistics().Closed));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task CloseConnection_ReturnsTheLeaseAndKeepsTheSession(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var connection = pool.AsDataSource().CreateConnection();
        await OpenAsync(connection, async);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT generate_series(1, 1000)";

        var reader = await ReaderAsync(command, CommandBehavior.CloseConnection, async);
        await reader.ReadAsync(Stop);
        await DisposeAsync(reader, async);

        Assert.Equal(ConnectionState.Closed, connection.State);
        await SettledAsync(pool);
        Assert.Equal((1, 0L, 0L), (pool.GetStatistics().Idle, pool.GetStatistics().Closed, pool.GetStatistics().DirtyReturns));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task CloseConnection_OfACommandThatFails_ReturnsTheLease(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var connection = pool.AsDataSource().CreateConnection();
        await OpenAsync(connection, async);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT 1 / 0";

        await Assert.ThrowsAsync<PostgresException>(() => ReaderAsync(command, CommandBehavior.CloseConnection, async));

        Assert.Equal(ConnectionState.Closed, connection.State);
    }

    [Fact]
    public async Task CloseConnection_BehindTheConnectionsBack_StillReturnsTheLease()
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var connection = await pool.AsDataSource().OpenConnectionAsync(Stop);
        await using var command = (NpgsqlCommand)connection.CreateCommand();
        command.CommandText = "SELECT 1";

        // NpgsqlCommand's own method, which hides ADO.NET's.
        await (await command.ExecuteReaderAsync(CommandBehavior.CloseConnection, Stop)).DisposeAsync();

        Assert.Equal(ConnectionState.Closed, connection.State);
        await Eventually.BecomesAsync(() => pool.GetStatistics() is { Leased: 0, Total: 0 }, "its place is free");
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Transaction_AndItsCommands_HaveOneConnection(bool async)
    {
        var pool = Pool();
        await using var connection = await pool.AsDataSource().OpenConnectionAsync(Stop);
        await using var transaction = async
            ? await connection.BeginTransactionAsync(IsolationLevel.Serializable, Stop) : connection.BeginTransaction(IsolationLevel.Serializable);
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "SHOW transaction_isolation";

        Assert.Equal("serializable", await ScalarAsync(command, async));
        Assert.Same(transaction.Connection, command.Connection);
        // As code does that gets the transaction alone.
        await using var other = transaction.Connection!.CreateCommand();
        other.CommandText = "SELECT 1";
        other.Connection = transaction.Connection;
        Assert.Equal(1, await ScalarAsync(other, async));
        command.Connection = transaction.Connection;
        Assert.Equal("serializable", await ScalarAsync(command, async));
        command.Connection = connection;
        Assert.Equal("serializable", await ScalarAsync(command, async));
        await transaction.RollbackAsync(Stop);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Batch_RunsOnTheLease(bool async)
    {
        var pool = Pool();
        var source = pool.AsDataSource();
        await using var connection = source.CreateConnection();
        Assert.True(connection.CanCreateBatch);
        await using var ofConnection = connection.CreateBatch();
        await using var ofSource = source.CreateBatch();
        await OpenAsync(connection, async);

        foreach (var batch in new[] { ofConnection, ofSource })
        {
            Add(batch, "CREATE TEMP TABLE b AS SELECT 1 AS id");
            Add(batch, "INSERT INTO b VALUES (2), (3)");
            Add(batch, "SELECT count(*) FROM b");
            var reader = async ? await batch.ExecuteReaderAsync(Stop) : batch.ExecuteReader();
            Assert.True(await reader.ReadAsync(Stop));
            Assert.Equal(3L, reader.GetInt64(0));
            await DisposeAsync(reader, async);
        }

        await CloseAsync(connection, async);
        await SettledAsync(pool);
        Assert.Equal((2L, 0L), (pool.GetStatistics().Rented, pool.GetStatistics().DirtyReturns));

        static void Add(DbBatch batch, string sql)
        {
            var command = batch.CreateBatchCommand();
            command.CommandText = sql;
            batch.BatchCommands.Add(command);
        }
    }

    [Fact]
    public async Task BrokenConnection_IsClosedAndCanBeOpenedAgain()
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var connection = await pool.AsDataSource().OpenConnectionAsync(Stop);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT pg_terminate_backend(pg_backend_pid())";

        await Assert.ThrowsAnyAsync<DbException>(() => command.ExecuteScalarAsync(Stop));

        Assert.Equal(ConnectionState.Closed, connection.State);
        await connection.OpenAsync(Stop);
        command.CommandText = "SELECT 1";
        Assert.Equal(1, await command.ExecuteScalarAsync(Stop));
    }

    [Fact]
    public async Task What_BelongsToThePool_CannotBeChangedHere()
    {
        var pool = Pool(options => options.ConnectionString += ";Password=s3cr3t");
        var source = pool.AsDataSource();
        var server = new NpgsqlConnectionStringBuilder(ConnectionString);
        await using var connection = source.CreateConnection();

        Assert.DoesNotContain("s3cr3t", source.ConnectionString);
        Assert.Equal(source.ConnectionString, connection.ConnectionString);
        Assert.Equal(server.Database, connection.Database);
        Assert.Contains(server.Host!, connection.DataSource);
        Assert.Throws<NotSupportedException>(() => connection.ConnectionString = "Host=elsewhere");
        Assert.Throws<NotSupportedException>(() => connection.ChangeDatabase("other"));

        await connection.OpenAsync(Stop);
        Assert.NotEmpty(connection.ServerVersion);
        Assert.NotEmpty(connection.GetSchema("Tables").Columns);
    }
}
