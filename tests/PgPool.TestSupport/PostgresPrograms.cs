using System.Diagnostics;
using System.Globalization;

namespace PgPool.TestSupport;

/// <summary>The PostgreSQL programs of this machine: where they are, and how to run them, as they refuse to run as root.</summary>
internal sealed class PostgresPrograms
{
    private static readonly string[] Needed = ["initdb", "pg_ctl", "postgres"];

    // Debian, Red Hat, Homebrew on either processor. Not Windows: what ends a stray server (see Watchdog) needs a POSIX shell.
    private static readonly (string Parent, string Pattern)[] Installations =
    [
        ("/usr/lib/postgresql", "*"), ("/usr", "pgsql-*"), ("/opt/homebrew/opt", "postgresql*"), ("/usr/local/opt", "postgresql*"),
    ];

    private readonly string[] _asServerAccount;

    private PostgresPrograms(string folder)
    {
        Folder = folder;
        _asServerAccount = Environment.IsPrivilegedProcess ? AsServerAccount() : [];
    }

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

    /// <summary>Runs one program to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message is what it said.</exception>
    public async Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        var start = Command([Path.Combine(Folder, program), .. arguments]);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        try
        {
            var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancellationToken),
                process.StandardError.ReadToEndAsync(cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"{program} failed with code {process.ExitCode}: {string.Concat(said).Trim()}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>A command that runs as an account that the server accepts, in a folder that every account may enter.</summary>
    public ProcessStartInfo Command(string[] command)
    {
        string[] line = [.. _asServerAccount, .. command];
        return new ProcessStartInfo(line[0], line[1..]) { WorkingDirectory = "/" };
    }

    // setpriv, not runuser or su: those stay between us and the program and pass signals on in their own way.
    private static string[] AsServerAccount()
    {
        var accounts = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).ToLookup(fields => fields[0]);
        var account = accounts["postgres"].Concat(accounts["nobody"]).FirstOrDefault()
            ?? throw new InvalidOperationException("PostgreSQL does not run as root, and there is no account postgres or nobody.");
        return ["setpriv", "--reuid", account[2], "--regid", account[3], "--clear-groups"];
    }

    // ".../postgresql/15", ".../pgsql-16", ".../postgresql@17"; 9.6 sorts as 9, a name without a number last.
    private static int Version(string folder)
    {
        var digits = Path.GetFileName(folder).SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(char.IsAsciiDigit).ToArray();
        return int.TryParse(digits, CultureInfo.InvariantCulture, out var version) ? version : 0;
    }
}
