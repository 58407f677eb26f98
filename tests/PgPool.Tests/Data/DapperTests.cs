using Dapper;
using PgPool.Tests.Integration;
using Xunit;

namespace PgPool.Tests.Data;

/// <summary>The real Dapper on the pool's data source.</summary>
public sealed class DapperTests(ServerFixture fixture) : PoolTest(fixture)
{
    private sealed record Order(int Id, string Customer, decimal Total);

    [Fact]
    public async Task ClosedConnection_IsOpenedAndClosedByDapperAndTheSessionKept()
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var connection = pool.AsDataSource().CreateConnection();

        // An array is one parameter to PostgreSQL; Dapper must see which database it is before it opens the connection.
        var sessions = new HashSet<int>
        {
            connection.Query<int>("SELECT pg_backend_pid() FROM generate_series(1, 3) i WHERE i = ANY (@ids)", new { ids = new[] { 1, 2 } }).First(),
            (await connection.QueryAsync<int>("SELECT pg_backend_pid() WHERE 1 = ANY (@ids)", new { ids = new[] { 1, 2 } })).Single(),
            connection.ExecuteScalar<int>("SELECT pg_backend_pid()"),
            await connection.QuerySingleAsync<int>("SELECT pg_backend_pid()"),
        };
        await SettledAsync(pool);

        Assert.Single(sessions);
        Assert.Equal((4L, 1L, 0L), (pool.GetStatistics().Rented, pool.GetStatistics().Opened, pool.GetStatistics().DirtyReturns));
    }

    [Fact]
    public async Task UnbufferedQuery_HoldsItsLeaseUntilItIsRead()
    {
        var pool = Pool();
        await using var connection = pool.AsDataSource().CreateConnection();

        var read = 0;
        await foreach (var number in connection.QueryUnbufferedAsync<int>("SELECT generate_series(1, 1000)"))
        {
            Assert.Equal(1, pool.GetStatistics().Leased);
            read += number;
        }
        await SettledAsync(pool);

        Assert.Equal((500_500, 0), (read, pool.GetStatistics().Leased));
    }

    [Fact]
    public async Task BulkInTransaction_IsAllOrNothing()
    {
        var pool = Pool(options => options.SessionReset = SessionReset.RollbackOnly);
        await using var connection = await pool.AsDataSource().OpenConnectionAsync(Stop);
        await connection.ExecuteAsync("CREATE TEMP TABLE orders (id int PRIMARY KEY, customer text, total numeric)");
        var orders = Enumerable.Range(1, 500).Select(static id => new Order(id, $"customer {id % 7}", id * 1.5m)).ToArray();
        const string Insert = "INSERT INTO orders VALUES (@Id, @Customer, @Total)";

        await using (var transaction = await connection.BeginTransactionAsync(Stop))
        {
            Assert.Equal(500, await connection.ExecuteAsync(Insert, orders, transaction));
            await transaction.RollbackAsync(Stop);
        }
        Assert.Equal(0, await connection.ExecuteScalarAsync<int>("SELECT count(*)::int FROM orders"));
        await using (var transaction = await connection.BeginTransactionAsync(Stop))
        {
            await connection.ExecuteAsync(Insert, orders, transaction);
            await transaction.CommitAsync(Stop);
        }

        Assert.Equal(orders, await connection.QueryAsync<Order>("SELECT * FROM orders ORDER BY id"));
        await using var several = await connection.QueryMultipleAsync("SELECT count(*)::int FROM orders; SELECT max(total) FROM orders");
        Assert.Equal((500, 750m), (await several.ReadSingleAsync<int>(), await several.ReadSingleAsync<decimal>()));
    }

    [Fact]
    public async Task ManyAtOnce_ShareThePool()
    {
        var pool = Pool(options => options.MaxSize = 3);
        var source = pool.AsDataSource();

        var sums = await Task.WhenAll(Enumerable.Range(1, 60).Select(async i =>
        {
            await using var connection = source.CreateConnection();
            return await connection.ExecuteScalarAsync<int>("SELECT @i", new { i });
        }));
        await SettledAsync(pool);

        Assert.Equal(1830, sums.Sum());
        Assert.InRange(pool.GetStatistics().Opened, 1, 3);
    }
}
