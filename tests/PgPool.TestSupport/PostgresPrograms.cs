using System.ComponentModel;
using System.Globalization;

namespace PgPool.TestSupport;

/// <summary>PostgreSQL's programs, in a folder.</summary>
internal sealed class PostgresPrograms(string folder)
{
    // Debian, Red Hat, Homebrew on either processor.
    private static readonly (string Parent, string Pattern)[] Installations =
    [
        ("/usr/lib/postgresql", "*"), ("/usr", "pgsql-*"), ("/opt/homebrew/opt", "postgresql*"), ("/usr/local/opt", "postgresql*"),
    ];

    public static IReadOnlyList<string> Needed { get; } = ["initdb", "pg_ctl", "postgres"];

    public string Folder { get; } = folder;

    /// <summary>
    /// Those of this machine, of a major version if one is given. PATH first: it is what the user chose. Debian's wrappers in /usr/bin are of
    /// clients only and so do not count.
    /// </summary>
    public static async Task<PostgresPrograms?> FindAsync(int? version, CancellationToken cancellationToken)
    {
        var path = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];
        var installed = Installations.Where(place => Directory.Exists(place.Parent))
            .SelectMany(place => Directory.EnumerateDirectories(place.Parent, place.Pattern))
            .OrderByDescending(Version).Select(folder => Path.Combine(folder, "bin"));
        foreach (var folder in path.Concat(installed).Where(folder => Needed.All(program => File.Exists(Path.Combine(folder, program)))))
        {
            var programs = new PostgresPrograms(folder);
            if (await programs.WorkAsync(version, cancellationToken))
                return programs;
        }

        return null;
    }

    /// <summary>Runs one program to its end, as an account that it accepts.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message is what it said.</exception>
    public Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken) =>
        ServerAccount.RunAsync([Path.Combine(Folder, program), .. arguments], cancellationToken);

    // "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)"; a link may lead to nothing, which File.Exists does not tell.
    private async Task<bool> WorkAsync(int? version, CancellationToken cancellationToken)
    {
        try
        {
            var said = await ServerAccount.RunAsync([Path.Combine(Folder, "postgres"), "--version"], cancellationToken);
            return version is null || said.Contains($" {version}.", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            return false; // whatever is wrong with them, they are of no use
        }
    }

    // ".../postgresql/15", ".../pgsql-16", ".../postgresql@17"; 9.6 sorts as 9, a name without a number last.
    private static int Version(string folder)
    {
        var digits = Path.GetFileName(folder).SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(char.IsAsciiDigit).ToArray();
        return int.TryParse(digits, CultureInfo.InvariantCulture, out var version) ? version : 0;
    }
}
