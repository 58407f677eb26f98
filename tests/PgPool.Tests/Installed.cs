using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests;

/// <summary>Starts what needs programs of this machine. Where they are missing, the test is skipped with the command that installs them.</summary>
internal static class Installed
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A server of the test's own, by default a local one without further options.</summary>
    public static Task<PostgresServer> StartServerAsync(PostgresServerOptions? options = null) =>
        OrSkipAsync(PostgresServer.StartAsync(options ?? new() { Local = true }, Stop));

    public static Task<PgBouncer> StartPgBouncerAsync(
        PostgresServer server, PgBouncerPoolMode mode, Dictionary<string, string>? settings = null) =>
        OrSkipAsync(PgBouncer.StartAsync(server, mode, settings, Stop));

    /// <summary>Skips the test where the server is of an earlier version than what is tried there.</summary>
    public static async Task NeedsVersionAsync(PostgresServer server, int major, string what)
    {
        var version = await server.GetVersionAsync();
        Assert.SkipUnless(version >= major, $"Needs PostgreSQL {major} for {what}: the server is of {version}.");
    }

    /// <summary>What a fixture has started, or a skip of the running test: a fixture itself cannot be skipped.</summary>
    public static T OrSkip<T>(T? started, NotInstalledException? missing) where T : class
    {
        Assert.SkipWhen(missing is not null, missing?.Message ?? "");
        return started ?? throw new InvalidOperationException("It is not started yet.");
    }

    private static async Task<T> OrSkipAsync<T>(Task<T> start)
    {
        try
        {
            return await start;
        }
        catch (NotInstalledException e)
        {
            Assert.Skip(e.Message);
            throw;
        }
    }
}
