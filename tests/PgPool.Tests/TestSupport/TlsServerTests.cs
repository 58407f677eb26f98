using System.Security.Authentication;
using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.TestSupport;

/// <summary>What Npgsql sees of a server with TLS, and of its certificates.</summary>
public class TlsServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_TlsAndPassword_ClientsVerifyTheServerAndTheServerThem()
    {
        await using var server = await StartAsync();
        await using var connection = await OpenAsync(server, settings => settings.Host = "localhost");
        await using var command = new NpgsqlCommand("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", connection);

        var encrypted = await command.ExecuteScalarAsync(Token);
        var exception = await Assert.ThrowsAsync<PostgresException>(() => OpenAsync(server, settings => settings.Password = "wrong"));

        Assert.Equal(true, encrypted);
        Assert.Equal(PostgresErrorCodes.InvalidPassword, exception.SqlState);
        var settings = new NpgsqlConnectionStringBuilder(server.ConnectionString);
        Assert.Equal(SslMode.VerifyFull, settings.SslMode);
        await AssertRejectedAsync(() => OpenAsync(server, untrusting => untrusting.RootCertificate = null));
    }

    [Fact]
    public async Task Start_Tls_OnlyTheServersAccountMayReadItsKeys()
    {
        await using var server = await StartAsync();
        if (server is null || OperatingSystem.IsWindows())
            return;
        var folder = Path.GetDirectoryName(await server.ScalarAsync<string>("SHOW ssl_key_file"))!;

        var files = Directory.GetFiles(folder, "*.pem");

        Assert.Equal(4, files.Length);
        foreach (var file in files)
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Theory]
    [InlineData(TestCertificate.Untrusted, SslMode.Require)]
    [InlineData(TestCertificate.OtherHost, SslMode.VerifyCA)]
    public async Task UseCertificate_Wrong_SessionsGoOnAndNewOnesAreRefusedUntilItIsRight(TestCertificate certificate, SslMode tolerant)
    {
        await using var server = await StartAsync();
        await using var before = await OpenAsync(server);

        await server.UseCertificateAsync(certificate);

        await AssertRejectedAsync(() => OpenAsync(server));
        await using var command = new NpgsqlCommand("SELECT 1", before);
        Assert.Equal(1, await command.ExecuteScalarAsync(Token));
        await using var careless = await OpenAsync(server, settings =>
        {
            settings.SslMode = tolerant;
            settings.RootCertificate = tolerant == SslMode.Require ? null : settings.RootCertificate;
        });

        await server.UseCertificateAsync(TestCertificate.Trusted);
        await using var after = await OpenAsync(server);
    }

    [Fact]
    public async Task UseCertificate_ServerWithoutTls_Throws()
    {
        await using var server = await Installed.StartServerAsync();
        var exception = await Assert.ThrowsAsync<NotSupportedException>(() => server.UseCertificateAsync(TestCertificate.Untrusted));

        Assert.Contains(nameof(PostgresServerOptions.Tls), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_TlsNotLocal_Throws()
    {
        var exception = await Assert.ThrowsAsync<ArgumentException>(() => PostgresServer.StartAsync(new() { Tls = true }, Token));

        Assert.Equal("options", exception.ParamName);
    }

    private static Task<PostgresServer> StartAsync() =>
        Installed.StartServerAsync(new() { Local = true, Tls = true, RequirePassword = true });

    private static async Task AssertRejectedAsync(Func<Task> open)
    {
        var exception = await Assert.ThrowsAsync<NpgsqlException>(open);
        Assert.IsType<AuthenticationException>(exception.InnerException);
    }

    private static Task<NpgsqlConnection> OpenAsync(PostgresServer server, Action<NpgsqlConnectionStringBuilder>? change = null)
    {
        var settings = new NpgsqlConnectionStringBuilder(server.ConnectionString);
        change?.Invoke(settings);
        return Unpooled.OpenAsync(settings.ConnectionString);
    }
}
