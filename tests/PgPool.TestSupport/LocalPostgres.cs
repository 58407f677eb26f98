using Npgsql;

namespace PgPool.TestSupport;

/// <summary>A server of our own, in a <see cref="DataFolder"/> of its own, on a port of its own on 127.0.0.1.</summary>
internal sealed partial class LocalPostgres : IAsyncDisposable
{
    private const string User = "postgres";
    private const string Password = "postgres";

    private readonly PostgresPrograms _programs;
    private readonly string _folder;
    private readonly Watchdog _watchdog;
    private readonly ServerTls? _tls;

    private LocalPostgres(PostgresPrograms programs, PostgresServerOptions options)
    {
        _programs = programs;
        _folder = DataFolder.Next();
        _watchdog = new Watchdog(_folder, Path.Combine(programs.Folder, "pg_ctl"), "-D", _folder, "-m", "immediate", "-w", "stop");
        _tls = options.Tls ? new ServerTls(_folder) : null;
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = LoopbackPorts.Next(),
            Username = User,
            Password = Password,
            Database = "postgres",
        };
        _tls?.Demand(settings);
        ConnectionString = settings.ConnectionString;
        settings.Host = _folder;
        settings.SslMode = SslMode.Disable;
        settings.RootCertificate = null;
        AdminConnectionString = settings.ConnectionString;
    }

    public string ConnectionString { get; }

    /// <summary>Through the Unix socket, where everybody is trusted: whatever a test does to passwords and certificates.</summary>
    public string AdminConnectionString { get; }

    private string LogFile => Path.Combine(_folder, "server.log");

    public static async Task<LocalPostgres> StartAsync(
        PostgresPrograms programs, PostgresServerOptions options, CancellationToken cancellationToken)
    {
        var server = new LocalPostgres(programs, options);
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

    /// <summary>The settings that make the server show a certificate.</summary>
    public Dictionary<string, string> SettingsFor(TestCertificate certificate) => _tls?.SettingsFor(certificate)
        ?? throw new NotSupportedException($"This needs a server with {nameof(PostgresServerOptions)}.{nameof(PostgresServerOptions.Tls)}.");

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

        var settings = OwnPlace();
        if (_tls is not null)
        {
            await _tls.InstallAsync(cancellationToken);
            foreach (var (name, value) in _tls.SettingsFor(TestCertificate.Trusted))
                settings[name] = value;
        }

        foreach (var (name, value) in ServerSettings.For(options))
            settings[name] = value;
        await ConfigureAsync(settings, cancellationToken);
    }

    private Dictionary<string, string> OwnPlace() => new()
    {
        ["listen_addresses"] = "127.0.0.1",
        ["port"] = $"{new NpgsqlConnectionStringBuilder(ConnectionString).Port}",
        ["unix_socket_directories"] = _folder,
    };

    private Task ConfigureAsync(Dictionary<string, string> settings, CancellationToken cancellationToken) =>
        File.AppendAllTextAsync(Path.Combine(_folder, "postgresql.conf"), Lines(settings), cancellationToken);

    private static string Lines(Dictionary<string, string> settings) => string.Concat(
        settings.Select(setting => $"{setting.Key} = '{setting.Value.Replace("'", "''", StringComparison.Ordinal)}'\n"));

    // initdb would want the password in a file.
    private async Task SetPasswordAsync(CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(AdminConnectionString + ";Pooling=false");
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand($"ALTER ROLE {User} PASSWORD '{Password}'", connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
