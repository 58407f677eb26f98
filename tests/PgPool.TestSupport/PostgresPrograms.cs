using System.Globalization;

namespace PgPool.TestSupport;

/// <summary>The PostgreSQL programs of this machine.</summary>
internal sealed class PostgresPrograms
{
    private static readonly string[] Needed = ["initdb", "pg_ctl", "postgres"];

    // Debian, Red Hat, Homebrew on either processor. Not Windows: what ends a stray server (see Watchdog) needs a POSIX shell.
    private static readonly (string Parent, string Pattern)[] Installations =
    [
        ("/usr/lib/postgresql", "*"), ("/usr", "pgsql-*"), ("/opt/homebrew/opt", "postgresql*"), ("/usr/local/opt", "postgresql*"),
    ];

    private PostgresPrograms(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>PATH first: it is what the user chose. Debian's wrappers in /usr/bin are of clients only and so do not count.</summary>
    public static PostgresPrograms? Find()
    {
        if (OperatingSystem.IsWindows())
            return null;

        var path = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];
        var installed = Installations.Where(place => Directory.Exists(place.Parent))
            .SelectMany(place => Directory.EnumerateDirectories(place.Parent, place.Pattern))
            .OrderByDescending(Version).Select(folder => Path.Combine(folder, "bin"));
        var found = path.Concat(installed)
            .FirstOrDefault(folder => Needed.All(program => File.Exists(Path.Combine(folder, program))));
        return found is null ? null : new PostgresPrograms(found);
    }

    /// <summary>Runs one program to its end, as an account that it accepts.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message is what it said.</exception>
    public Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken) =>
        ServerAccount.RunAsync([Path.Combine(Folder, program), .. arguments], cancellationToken);

    // ".../postgresql/15", ".../pgsql-16", ".../postgresql@17"; 9.6 sorts as 9, a name without a number last.
    private static int Version(string folder)
    {
        var digits = Path.GetFileName(folder).SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(char.IsAsciiDigit).ToArray();
        return int.TryParse(digits, CultureInfo.InvariantCulture, out var version) ? version : 0;
    }
}
