using Npgsql;
using PgPool.Sessions;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>What was made of a lease, and is disposed of only when somebody else has its session.</summary>
[Trait("Category", "Server")]
public sealed class LateDisposalTests(ServerFixture fixture) : PoolTest(fixture)
{
    public static TheoryData<SessionReset, bool> Resets => new(
        from reset in Enum.GetValues<SessionReset>()
        from async in new[] { true, false }
        select (reset, async));

    [Theory]
    [MemberData(nameof(Resets))]
    public async Task Reader_ClosedInTimeAndDisposedLate_LeavesTheNextRentersAlone(SessionReset reset, bool async)
        => await ReaderDisposedLateAsync(reset, async, reader => reader.CloseAsync());

    [Theory]
    [MemberData(nameof(Resets))]
    public async Task Reader_DisposedTwiceOnceLate_LeavesTheNextRentersAlone(SessionReset reset, bool async)
        => await ReaderDisposedLateAsync(reset, async, reader => reader.DisposeAsync().AsTask());

    [Theory]
    [MemberData(nameof(Resets))]
    public async Task Transaction_CommittedInTimeAndDisposedLate_LeavesTheNextRentersAlone(SessionReset reset, bool async)
        => await TransactionDisposedLateAsync(reset, async, transaction => transaction.CommitAsync(Stop));

    [Theory]
    [MemberData(nameof(Resets))]
    public async Task Transaction_DisposedTwiceOnceLate_LeavesTheNextRentersAlone(SessionReset reset, bool async)
        => await TransactionDisposedLateAsync(reset, async, transaction => transaction.DisposeAsync().AsTask());

    [Fact]
    public async Task Transaction_LeftOpen_IsRolledBackAndOfNoFurtherEffect()
    {
        await TransactionDisposedLateAsync(SessionReset.Full, async: true, _ => Task.CompletedTask);
    }

    [Theory]
    [MemberData(nameof(Resets))]
    public async Task Command_DisposedTwiceOnceLate_LeavesTheNextRentersAlone(SessionReset reset, bool async)
    {
        var pool = Pool(options => (options.MaxSize, options.SessionReset) = (1, reset));
        var lease = await RentAsync(pool, async);
        var late = lease.Connection.CreateCommand();
        late.CommandText = "SELECT 1";
        await late.ExecuteScalarAsync(Stop);
        await late.DisposeAsync();
        await ReturnAsync(lease, async);

        await using var next = await RentAsync(pool, async);
        await using var command = next.Connection.CreateCommand();
        command.CommandText = "SELECT 2";
        await late.DisposeAsync();
        await using var another = next.Connection.CreateCommand();

        Assert.NotSame(command, another);
        Assert.Equal(2, await command.ExecuteScalarAsync(Stop));
    }

    [Fact]
    public async Task Unbinding_ThisVersionOfNpgsql_IsPossible()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Stop);
        await using var transaction = await connection.BeginTransactionAsync(Stop);
        await transaction.CommitAsync(Stop);
        await using var command = new NpgsqlCommand("SELECT 1", connection);
        await using var reader = await command.ExecuteReaderAsync(Stop);
        await reader.CloseAsync();

        NpgsqlInternals.Unbind(connection);

        await using var otherReader = await command.ExecuteReaderAsync(Stop);
        Assert.NotSame(reader, otherReader);
        await otherReader.CloseAsync();
        await using var otherTransaction = await connection.BeginTransactionAsync(Stop);
        Assert.NotSame(transaction, otherTransaction);
    }

    private async Task ReaderDisposedLateAsync(SessionReset reset, bool async, Func<NpgsqlDataReader, Task> endAsync)
    {
        var pool = Pool(options => (options.MaxSize, options.SessionReset) = (1, reset));
        var lease = await RentAsync(pool, async);
        await using var command = lease.CreateCommand("SELECT 1");
        var late = await command.ExecuteReaderAsync(Stop);
        await endAsync(late);
        await ReturnAsync(lease, async);

        await using var next = await RentAsync(pool, async);
        await using var nextCommand = next.CreateCommand("SELECT generate_series(1, 3)");
        await using var reader = await nextCommand.ExecuteReaderAsync(Stop);
        if (async)
            await late.DisposeAsync();
        else
            late.Dispose();

        Assert.True(await reader.ReadAsync(Stop));
        Assert.Equal(1, reader.GetInt32(0));
        Assert.Equal(1, pool.GetStatistics().Opened);
    }

    private async Task TransactionDisposedLateAsync(SessionReset reset, bool async, Func<NpgsqlTransaction, Task> endAsync)
    {
        var pool = Pool(options => (options.MaxSize, options.SessionReset) = (1, reset));
        var lease = await RentAsync(pool, async);
        var late = await lease.Connection.BeginTransactionAsync(Stop);
        await ExecuteAsync(lease, "SELECT 1");
        await endAsync(late);
        await ReturnAsync(lease, async);

        await using var next = await RentAsync(pool, async);
        await using var transaction = await next.Connection.BeginTransactionAsync(Stop);
        var id = await ScalarAsync<long>(next, "SELECT txid_current()");
        if (async)
            await late.DisposeAsync();
        else
            late.Dispose();

        Assert.Equal(id, await ScalarAsync<long>(next, "SELECT txid_current()"));
        await transaction.CommitAsync(Stop);
        Assert.Equal(1, pool.GetStatistics().Opened);
    }
}
