using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace PgPool.TestSupport;

/// <summary>
/// A PgBouncer in front of a server, on a port of its own on 127.0.0.1, for all databases of the server and the one role of its
/// connection string. It is gone after disposing, and after this process ends in any other way.
/// </summary>
public sealed class PgBouncer : IAsyncDisposable
{
    // The number is written before the program that bears it starts: there is none that the watchdog does not know of.
    private const string StartScript = "echo $$ >\"$0\" && exec \"$@\"";
    private const string StopScript = "kill -9 \"$(cat \"$0\")\" && rm \"$0\"";

    // Debian's is for administrators only; Red Hat's and Homebrew's are on everybody's PATH.
    private static readonly string[] Folders = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/opt/homebrew/bin"];

    private readonly string _program;
    private readonly string[] _stopCommand;
    private readonly Watchdog _watchdog;
    private readonly ConcurrentQueue<string> _log = [];
    private Process? _process;
    private bool _disposed;

    private PgBouncer(string program)
    {
        _program = program;
        Folder = Path.Combine(Path.GetTempPath(), "pgpool-" + Path.GetRandomFileName());
        _stopCommand = ["/bin/sh", "-c", StopScript, Path.Combine(Folder, "pid")];
        _watchdog = new Watchdog(Folder, _stopCommand);
        Port = LoopbackPorts.Next();
    }

    /// <summary>The same for its whole life.</summary>
    public int Port { get; }

    /// <summary>Its configuration and its list of roles.</summary>
    public string Folder { get; }

    /// <summary>What it has said so far.</summary>
    public string Log => string.Join(Environment.NewLine, _log);

    /// <param name="server">The server behind. Its connection string's role and password are the ones that clients must give.</param>
    /// <param name="mode">Its pool_mode.</param>
    /// <param name="settings">More settings by name, as in pgbouncer.ini; they win over this library's own.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="NotInstalledException">This machine has no PgBouncer.</exception>
    /// <exception cref="InvalidOperationException">It does not start; the message is what it said.</exception>
    public static async Task<PgBouncer> StartAsync(PostgresServer server, PgBouncerPoolMode mode,
        IReadOnlyDictionary<string, string>? settings = null, CancellationToken cancellationToken = default)
    {
        var program = Find() ?? throw new NotInstalledException(
            "This needs PgBouncer: install it (Debian: apt install pgbouncer; macOS: brew install pgbouncer) or put it on the PATH.");
        var bouncer = new PgBouncer(program);
        try
        {
            await bouncer.ConfigureAsync(new NpgsqlConnectionStringBuilder(server.ConnectionString), mode, settings, cancellationToken);
            await bouncer.StartAgainAsync(cancellationToken);
            return bouncer;
        }
        catch
        {
            await bouncer.DisposeAsync();
            throw;
        }
    }

    /// <summary>The same connection string, but through PgBouncer.</summary>
    public string ConnectionStringFor(string original) =>
        new NpgsqlConnectionStringBuilder(original) { Host = "127.0.0.1", Port = Port }.ConnectionString;

    /// <summary>Kills it: clients and server connections are cut.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await ServerAccount.RunAsync(_stopCommand, cancellationToken);
        await _process!.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Starts it after <see cref="StopAsync"/>, on the same port, and returns when it accepts connections.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        _process?.Dispose();
        var start = ServerAccount.Command("/bin/sh", "-c", StartScript, Path.Combine(Folder, "pid"), _program, Path.Combine(Folder, "ini"));
        start.RedirectStandardError = true;
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
        _process.BeginErrorReadLine();
        await Eventually.BecomesAsync(() => AcceptsAsync(cancellationToken), "PgBouncer accepts connections");
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;

        await _watchdog.DisposeAsync();
        if (_process is { } process)
        {
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    private static string? Find()
    {
        // Not Windows: what ends a stray one (see Watchdog) needs a POSIX shell.
        if (OperatingSystem.IsWindows())
            return null;

        var path = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];
        return path.Concat(Folders).Select(folder => Path.Combine(folder, "pgbouncer")).FirstOrDefault(File.Exists);
    }

    private async Task ConfigureAsync(NpgsqlConnectionStringBuilder server, PgBouncerPoolMode mode,
        IReadOnlyDictionary<string, string>? settings, CancellationToken cancellationToken)
    {
        // The folder belongs to the server's account, and with it everything in it: nobody else reads the password.
        await ServerAccount.RunAsync(["mkdir", "-m", "700", Folder], cancellationToken);
        var users = Path.Combine(Folder, "users");
        await File.WriteAllTextAsync(users, $"{Quoted(server.Username)} {Quoted(server.Password)}\n", cancellationToken);

        var all = new Dictionary<string, string>
        {
            ["listen_addr"] = "127.0.0.1",
            ["listen_port"] = $"{Port}",
            ["unix_socket_dir"] = "",
            ["auth_type"] = server.Password is null ? "trust" : "scram-sha-256",
            ["auth_file"] = users,
            ["pool_mode"] = mode == PgBouncerPoolMode.Session ? "session" : "transaction",
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string>())
            all[name] = value;
        string[] lines = ["[databases]", $"* = host={server.Host} port={server.Port}", "[pgbouncer]",
            .. all.Select(setting => $"{setting.Key} = {setting.Value}")];
        await File.WriteAllLinesAsync(Path.Combine(Folder, "ini"), lines, cancellationToken);
    }

    private async Task<bool> AcceptsAsync(CancellationToken cancellationToken)
    {
        if (_process!.HasExited)
        {
            // Waiting for the exit is also waiting for its last words.
            await _process.WaitForExitAsync(cancellationToken);
            throw new InvalidOperationException($"PgBouncer does not start: {Log}");
        }
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string Quoted(string? word) => $"\"{word?.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
