using Npgsql;

namespace PgPool.TestSupport;

/// <summary>A server of our own, in a folder of its own in the temp directory, on a port of its own on 127.0.0.1.</summary>
internal sealed class LocalPostgres : IAsyncDisposable
{
    private const string User = "postgres";
    private const string Password = "postgres";

    private readonly PostgresPrograms _programs;
    private readonly string _folder;
    private readonly Watchdog _watchdog;

    private LocalPostgres(PostgresPrograms programs)
    {
        _programs = programs;
        _folder = Path.Combine(Path.GetTempPath(), "pgpool-" + Path.GetRandomFileName());
        _watchdog = new Watchdog(_folder, Path.Combine(programs.Folder, "pg_ctl"), "-D", _folder, "-m", "immediate", "-w", "stop");
        ConnectionString = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = LoopbackPorts.Next(),
            Username = User,
            Password = Password,
            Database = "postgres",
        }.ConnectionString;
    }

    public string ConnectionString { get; }

    private string LogFile => Path.Combine(_folder, "server.log");

    public static async Task<LocalPostgres> StartAsync(
        PostgresPrograms programs, PostgresServerOptions options, CancellationToken cancellationToken)
    {
        var server = new LocalPostgres(programs);
        try
        {
            await server.InitializeAsync(options, cancellationToken);
            await server.StartAgainAsync(cancellationToken);
            if (options.RequirePassword)
                await server.SetPasswordAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async Task StartAgainAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _programs.RunAsync("pg_ctl", ["-D", _folder, "-l", LogFile, "-w", "start"], cancellationToken);
        }
        catch (InvalidOperationException e)
        {
            // pg_ctl only says "examine the log", and the log is about to be removed.
            throw new InvalidOperationException($"{e.Message}{Environment.NewLine}{await ReadLogAsync(cancellationToken)}", e);
        }
    }

    public Task StopAsync(PostgresShutdown mode, CancellationToken cancellationToken) => _programs.RunAsync("pg_ctl",
        ["-D", _folder, "-m", mode == PostgresShutdown.Immediate ? "immediate" : "fast", "-w", "stop"], cancellationToken);

    public async Task<string> ReadLogAsync(CancellationToken cancellationToken) =>
        File.Exists(LogFile) ? await File.ReadAllTextAsync(LogFile, cancellationToken) : "";

    public ValueTask DisposeAsync() => _watchdog.DisposeAsync();

    private async Task InitializeAsync(PostgresServerOptions options, CancellationToken cancellationToken)
    {
        // initdb makes the folder, so it belongs to the right account; socket and log live in it too, so one folder is all there is.
        await _programs.RunAsync("initdb",
            ["-D", _folder, "-U", User, "-E", "UTF8", "--locale=C", "--no-sync", "--auth-local=trust",
                "--auth-host=" + (options.RequirePassword ? "scram-sha-256" : "trust")], cancellationToken);

        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = $"{new NpgsqlConnectionStringBuilder(ConnectionString).Port}",
            ["unix_socket_directories"] = _folder,
        };
        foreach (var (name, value) in ServerSettings.For(options))
            settings[name] = value;
        await File.AppendAllLinesAsync(Path.Combine(_folder, "postgresql.conf"),
            settings.Select(setting => $"{setting.Key} = '{setting.Value.Replace("'", "''", StringComparison.Ordinal)}'"),
            cancellationToken);
    }

    // Through the Unix socket, where everybody is trusted: initdb would want the password in a file.
    private async Task SetPasswordAsync(CancellationToken cancellationToken)
    {
        var bySocket = new NpgsqlConnectionStringBuilder(ConnectionString) { Host = _folder, Pooling = false };
        await using var connection = new NpgsqlConnection(bySocket.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand($"ALTER ROLE {User} PASSWORD '{Password}'", connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
