using System.Data;
using System.Data.Common;
using System.Transactions;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Data;

/// <summary>What ADO.NET lets code do with connections, readers and transactions that were closed, are in use, or are being opened.</summary>
public sealed class DataSourceMisuseTests(ServerFixture fixture) : DataSourceTest(fixture)
{
    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Reader_ClosedWithItsConnection_LeavesTheNextRentersAlone(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var connection = await pool.AsDataSource().OpenConnectionAsync(Stop);
        await using var command = connection.CreateCommand();
        command.CommandText = "CREATE TEMP TABLE t (id int); INSERT INTO t VALUES (1), (2) RETURNING id";
        var late = await command.ExecuteReaderAsync(CommandBehavior.CloseConnection, Stop);
        if (async)
            await late.CloseAsync();
        else
            late.Close();

        await using var next = await pool.RentAsync(Stop);
        await using var nextCommand = next.CreateCommand("SELECT generate_series(1, 3)");
        await using var reader = await nextCommand.ExecuteReaderAsync(Stop);
        Assert.Equal((true, 2), (late.IsClosed, late.RecordsAffected));
        Assert.Throws<InvalidOperationException>(() => late.Read());
        await DisposeAsync(late, async);

        Assert.True(await reader.ReadAsync(Stop));
        Assert.Equal((1, 1L), (reader.GetInt32(0), pool.GetStatistics().Opened));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Reader_OfAnEarlierOpening_DoesNotCloseTheLater(bool async)
    {
        var pool = Pool();
        await using var connection = await pool.AsDataSource().OpenConnectionAsync(Stop);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT 1";
        var late = await command.ExecuteReaderAsync(CommandBehavior.CloseConnection, Stop);
        await connection.CloseAsync();
        await connection.OpenAsync(Stop);

        await DisposeAsync(late, async);

        Assert.Equal(ConnectionState.Open, connection.State);
        await using var other = connection.CreateCommand();
        other.CommandText = "SELECT 1";
        Assert.Equal(1, await other.ExecuteScalarAsync(Stop));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Reader_ThatFailsWhileItIsClosed_StillClosesItsConnection(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var connection = await pool.AsDataSource().OpenConnectionAsync(Stop);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT 1; SELECT 1 / 0";
        var reader = await command.ExecuteReaderAsync(CommandBehavior.CloseConnection, Stop);

        await Assert.ThrowsAnyAsync<DbException>(() => DisposeAsync(reader, async));

        Assert.Equal(ConnectionState.Closed, connection.State);
        await SettledAsync(pool);
        Assert.Equal((1, 1L), (pool.GetStatistics().Idle, pool.GetStatistics().Opened));
    }

    [Fact]
    public async Task Transaction_DisposedAfterItsConnection_LeavesTheNextRentersAlone()
    {
        var pool = Pool(options => options.MaxSize = 1);
        var source = pool.AsDataSource();
        var connection = await source.OpenConnectionAsync(Stop);
        var late = await connection.BeginTransactionAsync(Stop);
        await late.CommitAsync(Stop);
        await connection.DisposeAsync();

        await using var next = await source.OpenConnectionAsync(Stop);
        await using var transaction = await next.BeginTransactionAsync(Stop);
        await using var command = next.CreateCommand();
        command.CommandText = "SELECT txid_current()";
        var id = await command.ExecuteScalarAsync(Stop);
        Assert.Null(late.Connection);
        await late.DisposeAsync();

        Assert.Equal(id, await command.ExecuteScalarAsync(Stop));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Command_OfAnEarlierTransaction_RunsOnTheNextSession(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var connection = await pool.AsDataSource().OpenConnectionAsync(Stop);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT 1";
        await using var transaction = await connection.BeginTransactionAsync(Stop);
        command.Transaction = transaction;
        Assert.Equal(1, await ScalarAsync(command, async));
        Assert.Same(transaction, command.Transaction);
        await transaction.CommitAsync(Stop);
        await connection.CloseAsync();
        pool.Clear();
        await connection.OpenAsync(Stop);

        Assert.Equal(1, await ScalarAsync(command, async));
        Assert.Null(command.Transaction);
    }

    [Fact]
    public async Task Command_MadeBeforeItsConnectionIsOpened_KeepsItsTransaction()
    {
        await using var connection = Pool().AsDataSource().CreateConnection();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT 1";
        await connection.OpenAsync(Stop);
        await using var transaction = await connection.BeginTransactionAsync(Stop);
        command.Transaction = transaction;

        Assert.Equal(1, await command.ExecuteScalarAsync(Stop));
        Assert.Same(transaction, command.Transaction);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Command_RunAfterItWasDisposed_GivesItsLeaseBack(bool async)
    {
        var pool = Pool(options => options.MaxSize = 1);
        var source = pool.AsDataSource();
        var command = source.CreateCommand("SELECT 1");
        await command.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => ScalarAsync(command, async));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ReaderAsync(command, CommandBehavior.Default, async));

        await SettledAsync(pool);
        Assert.Equal((2L, 0), (pool.GetStatistics().Rented, pool.GetStatistics().Leased));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Open_InATransactionScope_IsRefusedUnlessEnlistIsFalse(bool async)
    {
        var pool = Pool();
        var outside = Pool(options => options.ConnectionString += ";Enlist=false").AsDataSource();
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await using var connection = pool.AsDataSource().CreateConnection();

        var exception = await Assert.ThrowsAsync<NotSupportedException>(() => OpenAsync(connection, async));
        Assert.Contains("Enlist=false", exception.Message);
        Assert.Equal(0, pool.GetStatistics().Rented);
        await using (var command = pool.AsDataSource().CreateCommand("SELECT 1"))
            await Assert.ThrowsAsync<NotSupportedException>(() => ScalarAsync(command, async));
        using (new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled))
            await OpenAsync(connection, async);
        await using var allowed = outside.CreateCommand("SELECT 1");
        Assert.Equal(1, await ScalarAsync(allowed, async));
    }

    [Fact]
    public async Task NestedRents_AsynchronousOpens_AreSeen()
    {
        var pool = Pool(options => (options.MaxSize, options.NestedRents) = (1, NestedRentPolicy.ThrowIfFull));
        var source = pool.AsDataSource();

        await using (await source.OpenConnectionAsync(Stop))
            await RefusedAsync();
        await using (var connection = source.CreateConnection())
        {
            await connection.OpenAsync(Stop);
            await RefusedAsync();
        }
        await using (var command = source.CreateCommand("SELECT 1"))
        await using (await command.ExecuteReaderAsync(Stop))
            await RefusedAsync();
        await using var last = await source.OpenConnectionAsync(Stop);

        async Task RefusedAsync()
        {
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await source.OpenConnectionAsync(Stop));
            await using var other = source.CreateConnection();
            await Assert.ThrowsAsync<InvalidOperationException>(() => other.OpenAsync(Stop));
        }
    }

    [Fact]
    public async Task Open_TwiceAtOnce_OpensOnce()
    {
        var pool = Pool(options => options.MaxSize = 2);
        var leases = await pool.RentManyAsync(2, cancellationToken: Stop);
        await using var connection = pool.AsDataSource().CreateConnection();
        Task[] opens = [connection.OpenAsync(Stop), connection.OpenAsync(Stop)];

        await leases.DisposeAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => Task.WhenAll(opens).WaitAsync(Eventually.Deadline, Stop));
        Assert.Equal(1, opens.Count(static open => open.IsCompletedSuccessfully));
        await Eventually.BecomesAsync(() => pool.GetStatistics() is { Leased: 1, Idle: 1 }, "one lease is out");
        Assert.Equal(ConnectionState.Open, connection.State);
    }

    [Fact]
    public async Task Dispose_WhileBeingOpened_GivesTheLeaseBack()
    {
        var pool = Pool(options => options.MaxSize = 1);
        var lease = await pool.RentAsync(Stop);
        var connection = pool.AsDataSource().CreateConnection();
        var open = connection.OpenAsync(Stop);

        await connection.DisposeAsync();
        await lease.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => open.WaitAsync(Eventually.Deadline, Stop));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => connection.OpenAsync(Stop));
        await SettledAsync(pool);
        Assert.Equal((0, 1), (pool.GetStatistics().Leased, pool.GetStatistics().Idle));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Close_OfAConnectionThatWasNotUsed_ResetsNothing(bool async)
    {
        var resets = 0;
        var pool = Pool(options => options.OnConnectionReturned = (_, _) =>
        {
            Interlocked.Increment(ref resets);
            return default;
        });
        await using var connection = pool.AsDataSource().CreateConnection();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT 1";

        await OpenAsync(connection, async);
        Assert.Equal(ConnectionState.Open, connection.State);
        await connection.CloseAsync();
        await SettledAsync(pool);
        Assert.Equal(0, resets);
        await OpenAsync(connection, async);
        await ScalarAsync(command, async);
        await connection.CloseAsync();
        await SettledAsync(pool);
        Assert.Equal(1, resets);
    }
}
