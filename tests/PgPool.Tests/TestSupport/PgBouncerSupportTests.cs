using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.TestSupport;

/// <summary>On a machine without PgBouncer each test is skipped, with the command that installs it.</summary>
public class PgBouncerSupportTests(ServerFixture fixture)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_SessionMode_PassesTheRoleThroughToAnyDatabase()
    {
        await using var bouncer = await StartAsync(PgBouncerPoolMode.Session);
        var database = await fixture.Server.CreateDatabaseAsync();

        Assert.Equal(new NpgsqlConnectionStringBuilder(database).Database, await ScalarAsync<string>(bouncer.ConnectionStringFor(database), "SELECT current_database()"));
    }

    [Fact]
    public async Task StartAsync_TransactionMode_GivesTheServerConnectionBackWithEachTransaction()
    {
        await using var bouncer = await StartAsync(PgBouncerPoolMode.Transaction, new() { ["default_pool_size"] = "1" });
        await using var first = await Unpooled.OpenAsync(bouncer.ConnectionStringFor(fixture.Server.ConnectionString));
        await using var second = await Unpooled.OpenAsync(bouncer.ConnectionStringFor(fixture.Server.ConnectionString));

        Assert.Equal(await ScalarAsync<int>(first, "SELECT pg_backend_pid()"), await ScalarAsync<int>(second, "SELECT pg_backend_pid()"));
    }

    [Fact]
    public async Task StartAsync_WrongPassword_IsRefused()
    {
        await using var bouncer = await StartAsync(PgBouncerPoolMode.Session);
        var wrong = new NpgsqlConnectionStringBuilder(bouncer.ConnectionStringFor(fixture.Server.ConnectionString)) { Password = "wrong" };

        var exception = await Assert.ThrowsAsync<PostgresException>(() => Unpooled.OpenAsync(wrong.ConnectionString));

        Assert.Contains("authentication failed", exception.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_SettingWrong_ThrowsWithItsOwnWords()
    {
        await using (await StartAsync(PgBouncerPoolMode.Session))
        {
            // It is there, or the test is skipped: what follows does not tell "not installed" from "does not start".
        }

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(
            () => StartAsync(PgBouncerPoolMode.Session, new() { ["pool_mode"] = "no_such_mode" }));

        Assert.Contains("no_such_mode", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StopAndStartAgain_ComesBackOnItsPort()
    {
        await using var bouncer = await StartAsync(PgBouncerPoolMode.Session);
        var connectionString = bouncer.ConnectionStringFor(fixture.Server.ConnectionString);
        await using var before = await Unpooled.OpenAsync(connectionString);

        await bouncer.StopAsync(Token);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => Unpooled.OpenAsync(connectionString));
        await bouncer.StartAgainAsync(Token);

        Assert.Equal(1, await ScalarAsync<int>(connectionString, "SELECT 1"));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ScalarAsync<int>(before, "SELECT 1"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dispose_NothingIsLeft(bool running)
    {
        var bouncer = await StartAsync(PgBouncerPoolMode.Session);
        Assert.True(Directory.Exists(bouncer.Folder));
        if (!running)
            await bouncer.StopAsync(Token);

        await bouncer.DisposeAsync();
        await bouncer.DisposeAsync();

        Assert.False(Directory.Exists(bouncer.Folder));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => Unpooled.OpenAsync(bouncer.ConnectionStringFor(fixture.Server.ConnectionString)));
    }

    private Task<PgBouncer> StartAsync(PgBouncerPoolMode mode, Dictionary<string, string>? settings = null) =>
        Installed.StartPgBouncerAsync(fixture.Server, mode, settings);

    private static async Task<T> ScalarAsync<T>(string connectionString, string sql)
    {
        await using var connection = await Unpooled.OpenAsync(connectionString);
        return await ScalarAsync<T>(connection, sql);
    }

    private static async Task<T> ScalarAsync<T>(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(Token))!;
    }
}
