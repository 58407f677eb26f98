using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.TestSupport;

/// <summary>What every server can do, wherever it comes from.</summary>
public class PostgresServerTests(ServerFixture fixture)
{
    private readonly PostgresServer _server = fixture.Server;

    [Fact]
    public async Task CreateDatabase_Twice_GivesTwoEmptyDatabases()
    {
        var first = await _server.CreateDatabaseAsync();
        var second = await _server.CreateDatabaseAsync("With \"quotes\" " + Guid.NewGuid().ToString("N"));

        Assert.Equal(0L, await QueryAsync<long>(first, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));
        await QueryAsync<object>(first, "CREATE TABLE t(); SELECT 1");
        Assert.Equal(0L, await QueryAsync<long>(second, "SELECT count(*) FROM pg_class WHERE relname = 't'"));
    }

    [Fact]
    public async Task Scalar_WithParameters_ReturnsTheFirstColumn() =>
        Assert.Equal("ab", await _server.ScalarAsync<string>("SELECT $1 || $2", "a", "b"));

    [Fact]
    public async Task TerminateBackends_ThreeOfAnApplication_AreGoneWhenItReturns()
    {
        var application = $"victims {Guid.NewGuid():N}";
        var victim = new NpgsqlConnectionStringBuilder(_server.ConnectionString) { ApplicationName = application, Pooling = false };
        await using var source = NpgsqlDataSource.Create(victim);
        await using var first = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var second = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var third = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        Assert.Equal(3, await _server.CountBackendsAsync(application));

        Assert.Equal(3, await _server.TerminateBackendsAsync(application));

        Assert.Equal(0, await _server.CountBackendsAsync(application));
    }

    private static async Task<T?> QueryAsync<T>(string connectionString, string sql)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(unpooled.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T?)await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
