using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.TestSupport;

/// <summary>
/// What only a local server can do: each test has one, or two, of its own. Where PostgreSQL's programs are missing they are skipped.
/// </summary>
public class LocalServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_WithSettings_TheServerHasThem()
    {
        await using var server = await StartAsync(new()
        {
            Local = true,
            MaxConnections = 17,
            Settings = new Dictionary<string, string> { ["work_mem"] = "7MB", ["log_line_prefix"] = "it's %a: " },
        });
        Assert.Equal(PostgresServerSource.Local, server.Source);
        Assert.Equal("17", await server.ScalarAsync<string>("SHOW max_connections"));
        Assert.Equal("7MB", await server.ScalarAsync<string>("SHOW work_mem"));
        Assert.Equal("it's %a: ", await server.ScalarAsync<string>("SHOW log_line_prefix"));
    }

    [Fact]
    public async Task ChangeSettings_NewSession_HasThem()
    {
        await using var server = await StartAsync();
        await server.ChangeSettingsAsync(new Dictionary<string, string> { ["work_mem"] = "7MB", ["log_line_prefix"] = "it's %a: " });

        Assert.Equal("7MB", await server.ScalarAsync<string>("SHOW work_mem"));
        Assert.Equal("it's %a: ", await server.ScalarAsync<string>("SHOW log_line_prefix"));
    }

    [Fact]
    public async Task Start_SettingUnknown_ThrowsWithTheServersOwnWords()
    {
        await using (await StartAsync())
        {
            // A server can be started here, or the test is skipped: what follows fails for the setting alone.
        }

        var options = new PostgresServerOptions { Local = true, Settings = new Dictionary<string, string> { ["no_such_setting"] = "1" } };

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => PostgresServer.StartAsync(options, Token));

        Assert.Contains("unrecognized configuration parameter \"no_such_setting\"", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_PasswordRequired_RefusesAWrongOne()
    {
        await using var server = await StartAsync(new() { Local = true, RequirePassword = true });
        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "wrong", Pooling = false };
        await using var connection = new NpgsqlConnection(wrong.ConnectionString);

        var exception = await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync(Token));

        Assert.Equal(PostgresErrorCodes.InvalidPassword, exception.SqlState);
        await using var other = new NpgsqlConnection(server.ConnectionString + ";Pooling=false");
        await other.OpenAsync(Token);
    }

    [Theory]
    [InlineData(PostgresShutdown.Fast)]
    [InlineData(PostgresShutdown.Immediate)]
    public async Task StopAndStartAgain_TwoServers_OneComesBackOnItsPortAndTheOtherGoesOn(PostgresShutdown mode)
    {
        var servers = await Task.WhenAll(StartAsync(), StartAsync());
        await using var server = servers[0];
        await using var other = servers[1];
        var database = await server.CreateDatabaseAsync("kept");
        Assert.NotEqual(server.ConnectionString, other.ConnectionString);

        await server.StopAsync(mode, Token);
        await Assert.ThrowsAsync<NpgsqlException>(() => server.ScalarAsync<int>("SELECT 1"));
        Assert.Equal(1, await other.ScalarAsync<int>("SELECT 1"));
        await server.StartAgainAsync(Token);

        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(Token);
    }

    [Fact]
    public async Task ReadLog_AfterRestart_HasTheLinesOfBothLives()
    {
        await using var server = await StartAsync();
        await server.RestartAsync(cancellationToken: Token);

        var log = await server.ReadLogAsync(Token);
        Assert.True(server.CanRestart);
        Assert.Equal(2, log.Split("database system is ready to accept connections").Length - 1);
        Assert.Contains("received fast shutdown request", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dispose_RunningServer_StopsItAndRemovesItsFolder()
    {
        var server = await StartAsync();
        var folder = await server.ScalarAsync<string>("SHOW data_directory");
        Assert.True(Directory.Exists(folder));

        await server.DisposeAsync();
        await server.DisposeAsync();

        Assert.False(Directory.Exists(folder));
        await using var connection = new NpgsqlConnection(server.ConnectionString + ";Pooling=false");
        await Assert.ThrowsAsync<NpgsqlException>(() => connection.OpenAsync(Token));
    }

    [Fact]
    public async Task Dispose_StoppedServer_RemovesItsFolder()
    {
        var server = await StartAsync();
        var folder = await server.ScalarAsync<string>("SHOW data_directory");
        await server.StopAsync(cancellationToken: Token);

        await server.DisposeAsync();

        Assert.False(Directory.Exists(folder));
    }

    private static Task<PostgresServer> StartAsync(PostgresServerOptions? options = null) =>
        Installed.StartServerAsync(options);
}
