using Microsoft.Playwright;

namespace PgPool.Hosting.Tests.Live;

/// <summary>The Chromium of this machine.</summary>
internal static class Browser
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    // As root it runs without its sandbox only; the rest keeps it from calling its maker, which a closed network refuses, many times.
    private static readonly string[] Arguments =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    /// <summary>Why a test is skipped when there is no <see cref="Program"/>.</summary>
    public const string Missing = "This needs Chromium: install it (Debian: apt install chromium) or name its program in PGPOOL_TEST_CHROMIUM.";

    public static string? Program => Environment.GetEnvironmentVariable("PGPOOL_TEST_CHROMIUM") ?? Places.FirstOrDefault(File.Exists);

    public static async Task<IBrowser> LaunchAsync(IPlaywright playwright) => await playwright.Chromium.LaunchAsync(new()
    {
        ExecutablePath = Program ?? throw new InvalidOperationException(Missing),
        Args = Arguments,
    });
}
