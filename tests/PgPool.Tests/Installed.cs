using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests;

/// <summary>Starts what needs programs of this machine: null where they are missing, once the error was found to say what to install.</summary>
internal static class Installed
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<PostgresServer?> StartServerAsync(PostgresServerOptions? options = null)
    {
        var start = PostgresServer.StartAsync(options ?? new() { Local = true }, Stop);
        return PostgresServer.HasPrograms ? await start : await SaysWhatToInstallAsync(start, "apt install postgresql");
    }

    public static async Task<PgBouncer?> StartPgBouncerAsync(
        PostgresServer server, PgBouncerPoolMode mode, Dictionary<string, string>? settings = null)
    {
        var start = PgBouncer.StartAsync(server, mode, settings, Stop);
        return PgBouncer.IsInstalled ? await start : await SaysWhatToInstallAsync(start, "apt install pgbouncer");
    }

    private static async Task<T?> SaysWhatToInstallAsync<T>(Task<T> start, string command) where T : class
    {
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => start);
        Assert.Contains(command, exception.Message, StringComparison.Ordinal);
        return null;
    }
}
