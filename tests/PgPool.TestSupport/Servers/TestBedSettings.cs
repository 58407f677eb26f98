using System.Globalization;
using MysticMind.PostgresEmbed;
using PgPool.TestSupport.Embedded;

namespace PgPool.TestSupport.Servers;

/// <summary>What the environment says about the servers to run against.</summary>
internal sealed class TestBedSettings
{
    public const string WayVariable = "PGPOOL_POSTGRES";
    public const string VersionVariable = "PGPOOL_POSTGRES_VERSION";
    public const string RepositoryVariable = "PGPOOL_POSTGRES_REPOSITORY";

    // Maven Central.
    private static readonly string DefaultRepository = new PgServerOptions { PgVersion = PostgresReleases.Pinned(null) }.MavenRepo;

    /// <summary>The only way to get a server, by its name; null: the first that works.</summary>
    public string? Way { get; private init; }

    /// <summary>The major version asked for; null: any.</summary>
    public int? Version { get; private init; }

    /// <summary>The connection string to a running server.</summary>
    public string? Connection { get; private init; }

    /// <summary>The container image; null: PostgreSQL's own.</summary>
    public string? Image { get; private init; }

    /// <summary>The Maven repository that has PostgreSQL's programs.</summary>
    public required Uri Repository { get; init; }

    /// <summary>Where fetched programs are kept.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>Reads and checks the settings.</summary>
    /// <param name="variable">The value of an environment variable; null or empty: not set.</param>
    /// <exception cref="InvalidOperationException">A value makes no sense; the message names the variable.</exception>
    public static TestBedSettings Read(Func<string, string?> variable)
    {
        return new TestBedSettings
        {
            Way = Value(WayVariable),
            Version = Value(VersionVariable) is { } version ? ParseVersion(version) : null,
            Connection = Value(PostgresServer.ConnectionVariable),
            Image = Value(PostgresServer.ImageVariable),
            Repository = ParseRepository(Value(RepositoryVariable) ?? DefaultRepository),
            CacheFolder = Path.Combine(CacheHome(Value("XDG_CACHE_HOME")), "pgpool", "postgres"),
        };

        string? Value(string name) => variable(name) is { Length: > 0 } value ? value : null;
    }

    private static int ParseVersion(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && PostgresReleases.IsKnown(version)
            ? version
            : throw new InvalidOperationException(
                $"{VersionVariable} is '{text}': it must be a major version of PostgreSQL, {PostgresReleases.Oldest} to {PostgresReleases.Newest}.");

    // The text stays out of the message: it may have a password in it.
    private static Uri ParseRepository(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
            ? address
            : throw new InvalidOperationException(
                $"{RepositoryVariable} must be the address of a Maven repository, such as {DefaultRepository}.");

    // Root's servers run under an account that cannot enter root's home folder: what root fetches is kept where the system's services
    // keep such things.
    private static string CacheHome(string? given)
    {
        if (Path.IsPathFullyQualified(given ?? ""))
            return given!;
        if (OperatingSystem.IsWindows())
            return Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        if (Environment.IsPrivilegedProcess)
            return "/var/cache";
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        return Path.Combine(home, OperatingSystem.IsMacOS() ? "Library/Caches" : ".cache");
    }
}
