using System.Diagnostics;

namespace PgPool.TestSupport;

/// <summary>Runs the programs of servers, which refuse to run as root, under an account that they accept.</summary>
internal static class ServerAccount
{
    private static readonly Lazy<string[]> Switch = new(() => Environment.IsPrivilegedProcess ? FromRoot() : []);

    /// <summary>A command under that account, in a folder that every account may enter.</summary>
    public static ProcessStartInfo Command(params string[] command)
    {
        string[] line = [.. Switch.Value, .. command];
        return new ProcessStartInfo(line[0], line[1..]) { WorkingDirectory = "/" };
    }

    /// <summary>Runs one command to its end, and returns what it said.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message is what it said.</exception>
    public static Task<string> RunAsync(string[] command, CancellationToken cancellationToken) => RunAsync(command, input: "", cancellationToken);

    /// <summary>Writes a file that belongs to that account and that nobody else may read, as a server demands of a key.</summary>
    /// <exception cref="InvalidOperationException">It could not be written; the message says why.</exception>
    public static Task WriteAsync(string file, string text, CancellationToken cancellationToken) =>
        RunAsync(["/bin/sh", "-c", "umask 077; cat > \"$0\"", file], text, cancellationToken);

    private static async Task<string> RunAsync(string[] command, string input, CancellationToken cancellationToken)
    {
        var start = Command(command);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
            var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancellationToken),
                process.StandardError.ReadToEndAsync(cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException(
                    $"{Path.GetFileName(command[0])} failed with code {process.ExitCode}: {string.Concat(said).Trim()}");
            }

            return said[0];
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    // setpriv, not runuser or su: those stay between us and the program and pass signals on in their own way.
    private static string[] FromRoot()
    {
        var accounts = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).ToLookup(fields => fields[0]);
        var account = accounts["postgres"].Concat(accounts["nobody"]).FirstOrDefault()
            ?? throw new InvalidOperationException("Servers do not run as root, and there is no account postgres or nobody.");
        return ["setpriv", "--reuid", account[2], "--regid", account[3], "--clear-groups"];
    }
}
