using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>
/// A server of its own for one test class, which may do to it what it likes: clients verify its certificate and have to know a password.
/// </summary>
public sealed class TlsServerFixture : IAsyncLifetime
{
    private PostgresServer? _server;
    private NotInstalledException? _missing;

    /// <summary>Where PostgreSQL's programs are missing, the test that asks is skipped.</summary>
    public PostgresServer Server => Installed.OrSkip(_server, _missing);

    public async ValueTask InitializeAsync()
    {
        try
        {
            _server = await PostgresServer.StartAsync(
                new() { Local = true, Tls = true, RequirePassword = true }, TestContext.Current.CancellationToken);
        }
        catch (NotInstalledException e)
        {
            _missing = e;
        }
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? default;
}
