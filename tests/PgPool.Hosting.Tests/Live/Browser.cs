using Microsoft.Playwright;

namespace PgPool.Hosting.Tests.Live;

/// <summary>The Chromium of this machine.</summary>
internal static class Browser
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    // As root it runs without its sandbox only; the rest keeps it from calling its maker, which a closed network refuses, many times.
    private static readonly string[] Arguments =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    public static string? Program => Environment.GetEnvironmentVariable("PGPOOL_TEST_CHROMIUM") ?? Places.FirstOrDefault(File.Exists);

    /// <exception cref="InvalidOperationException">There is none: says what to install.</exception>
    public static async Task<IBrowser> LaunchAsync(IPlaywright playwright) => await playwright.Chromium.LaunchAsync(new()
    {
        ExecutablePath = Program
            ?? throw new InvalidOperationException("The live view is tested in Chromium: apt install chromium, or name another in PGPOOL_TEST_CHROMIUM."),
        Args = Arguments,
    });
}
