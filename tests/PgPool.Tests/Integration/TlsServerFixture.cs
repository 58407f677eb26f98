using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>
/// A server of its own for one test class, which may do to it what it likes: clients verify its certificate and have to know a password. Null on
/// a machine without PostgreSQL's programs, where the error was looked at.
/// </summary>
public sealed class TlsServerFixture : IAsyncLifetime
{
    public PostgresServer? Server { get; private set; }

    public async ValueTask InitializeAsync() => Server = await Installed.StartServerAsync(new() { Local = true, Tls = true, RequirePassword = true });

    public ValueTask DisposeAsync() => Server?.DisposeAsync() ?? default;
}
