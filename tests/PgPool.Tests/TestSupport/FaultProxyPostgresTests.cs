using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.TestSupport;

/// <summary>The proxy in front of PostgreSQL: what Npgsql sees of it.</summary>
public class FaultProxyPostgresTests(ServerFixture fixture)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task InFrontOf_Server_QueriesGoThroughIt()
    {
        await using var proxy = FaultProxy.InFrontOf(fixture.Server.ConnectionString);
        await using var connection = await OpenAsync(proxy);

        Assert.Equal(100_000, await CountRowsAsync(connection));
        Assert.Equal(1, proxy.Live);
        Assert.True(proxy.BytesToClient > 100_000);
    }

    [Fact]
    public async Task CutAfter_InTheMiddleOfAResult_BreaksTheConnection()
    {
        await using var proxy = FaultProxy.InFrontOf(fixture.Server.ConnectionString);
        await using var connection = await OpenAsync(proxy);
        proxy.CutAfter(50_000);

        await Assert.ThrowsAsync<NpgsqlException>(() => CountRowsAsync(connection));

        Assert.Equal(System.Data.ConnectionState.Broken, connection.FullState);
    }

    [Fact]
    public async Task Deaf_Open_RunsIntoItsTimeout()
    {
        await using var proxy = FaultProxy.InFrontOf(fixture.Server.ConnectionString);
        proxy.Mode = FaultMode.Deaf;

        var exception = await Assert.ThrowsAsync<NpgsqlException>(() => OpenAsync(proxy));

        Assert.IsType<TimeoutException>(exception.InnerException);
    }

    private Task<NpgsqlConnection> OpenAsync(FaultProxy proxy)
    {
        var through = new NpgsqlConnectionStringBuilder(proxy.ConnectionStringFor(fixture.Server.ConnectionString)) { Timeout = 1 };
        return Unpooled.OpenAsync(through.ConnectionString);
    }

    private static async Task<int> CountRowsAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("SELECT generate_series(1, 100000)", connection);
        await using var reader = await command.ExecuteReaderAsync(Token);
        var rows = 0;
        while (await reader.ReadAsync(Token))
            rows++;
        return rows;
    }
}
