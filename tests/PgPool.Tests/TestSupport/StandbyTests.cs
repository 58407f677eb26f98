using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.TestSupport;

/// <summary>Standbys, and failovers to them.</summary>
public class StandbyTests
{
    private const string IsStandby = "SELECT pg_is_in_recovery()";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartStandbyAsync_PrimaryWithPassword_IsFollowedUntilTheStandbyIsPromoted()
    {
        await using var primary = await Installed.StartServerAsync(new() { Local = true, RequirePassword = true });
        await using var standby = await primary.StartStandbyAsync(Token);
        await primary.ExecuteAsync("CREATE TABLE t AS SELECT 1 AS a");
        await primary.WaitUntilCaughtUpAsync(standby);

        Assert.True(await standby.ScalarAsync<bool>(IsStandby));
        Assert.Equal(1, await standby.ScalarAsync<int>("SELECT a FROM t"));
        var exception = await Assert.ThrowsAsync<PostgresException>(() => standby.ExecuteAsync("INSERT INTO t VALUES (2)"));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, exception.SqlState);

        await primary.StopAsync(PostgresShutdown.Immediate, Token);
        await standby.PromoteAsync(Token);
        await standby.ExecuteAsync("INSERT INTO t VALUES (2)");

        await primary.StartAgainAsStandbyAsync(Token);
        Assert.True(await primary.ScalarAsync<bool>(IsStandby));
        Assert.Equal(1L, await primary.ScalarAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task Dispose_Standby_RemovesItsFolderAndLeavesThePrimary()
    {
        await using var primary = await Installed.StartServerAsync();
        var standby = await primary.StartStandbyAsync(Token);
        var folder = await standby.ScalarAsync<string>("SHOW data_directory");
        Assert.True(Directory.Exists(folder));

        await standby.DisposeAsync();

        Assert.False(Directory.Exists(folder));
        Assert.False(await primary.ScalarAsync<bool>(IsStandby));
    }
}
