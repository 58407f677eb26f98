using Npgsql;
using PgPool.TestSupport.Servers;

namespace PgPool.TestSupport;

/// <summary>
/// A PostgreSQL server for tests, benchmarks and samples: the one that PGPOOL_TEST_CONNECTION names, or else a container, or else one
/// started with the PostgreSQL programs of this machine, or else with programs that are fetched once. PGPOOL_POSTGRES forces one of these ways
/// (connection, container, programs, embedded), PGPOOL_POSTGRES_VERSION asks for a major version. What it starts and creates is gone after
/// disposing; a local server also after this process ends in any other way.
/// </summary>
public sealed partial class PostgresServer : IAsyncDisposable
{
    /// <summary>Names the environment variable with the connection string of a role that may create databases and roles.</summary>
    public const string ConnectionVariable = "PGPOOL_TEST_CONNECTION";

    /// <summary>Names the environment variable with the container image, postgres:15 if unset.</summary>
    public const string ImageVariable = "PGPOOL_TEST_IMAGE";

    private readonly IAsyncDisposable? _owned;
    private readonly List<string> _databases = [];
    private bool _disposed;

    internal PostgresServer(PostgresServerSource source, string connectionString, IAsyncDisposable? owned)
    {
        Source = source;
        ConnectionString = connectionString;
        _owned = owned;
        var admin = (owned as LocalPostgres)?.AdminConnectionString ?? connectionString;
        Admin = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(admin) { Pooling = false, ApplicationName = "PgPool.TestSupport" });
    }

    public PostgresServerSource Source { get; }

    /// <summary>For an administrator, to the database postgres (of an environment's server: to the one it names).</summary>
    public string ConnectionString { get; }

    /// <summary>
    /// Unpooled connections to the database of <see cref="ConnectionString"/>, to look at a pool from outside; to a local server through its
    /// Unix socket, where neither password nor certificate matters.
    /// </summary>
    public NpgsqlDataSource Admin { get; }

    /// <summary>Whether the server can be stopped, started and have its log read: see <see cref="PostgresServerOptions.Local"/>.</summary>
    public bool CanRestart => _owned is LocalPostgres;

    private LocalPostgres Local => _owned as LocalPostgres ?? throw new NotSupportedException(
        $"This needs a local server: start one with {nameof(PostgresServerOptions)}.{nameof(PostgresServerOptions.Local)}.");

    /// <exception cref="NotInstalledException">There is no server and nothing to start one with.</exception>
    /// <exception cref="InvalidOperationException">The server does not start.</exception>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public static async Task<PostgresServer> StartAsync(
        PostgresServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new PostgresServerOptions();
        if (options.Tls && !options.Local)
            throw new ArgumentException($"{nameof(options.Tls)} is for a server with {nameof(options.Local)}.", nameof(options));
        return await PostgresWays.OfThisMachine.StartAsync(options, cancellationToken);
    }

    /// <summary>
    /// Why <see cref="PostgresServerOptions.Local"/> does not work here, with what would make it work; null: it does. Programs that have to be
    /// fetched are fetched.
    /// </summary>
    /// <param name="version">The major version that is needed; null: the one that the environment asks for, if any.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static Task<string?> WhyNoLocalServerAsync(int? version = null, CancellationToken cancellationToken = default) =>
        PostgresWays.OfThisMachine.WhyNoLocalServerAsync(version, cancellationToken);

    /// <summary>The server's major version.</summary>
    public async Task<int> GetVersionAsync() =>
        await ScalarAsync<int>("SELECT current_setting('server_version_num')::int / 10000");

    /// <summary>Creates an empty database, by default with a name of its own, and returns the connection string to it.</summary>
    public async Task<string> CreateDatabaseAsync(string? name = null)
    {
        name ??= $"pgpool_{Guid.NewGuid():N}";

        // template0: nobody is connected to it, and nothing was added to it.
        await ExecuteAsync($"CREATE DATABASE {Quoted(name)} TEMPLATE template0");
        lock (_databases)
            _databases.Add(name);
        return new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name }.ConnectionString;
    }

    /// <summary>Runs SQL with the parameters $1, $2, … as the administrator, outside any pool.</summary>
    public async Task ExecuteAsync(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of the first row, as the administrator, outside any pool.</summary>
    public async Task<T> ScalarAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
            throw new InvalidOperationException("No row: " + sql);
        return await reader.GetFieldValueAsync<T>(0);
    }

    /// <summary>How many sessions the server sees under this application name.</summary>
    public Task<int> CountBackendsAsync(string applicationName) =>
        ScalarAsync<int>("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", applicationName);

    /// <summary>Ends the sessions under this application name and returns when they are gone, with their number.</summary>
    public Task<int> TerminateBackendsAsync(string applicationName) =>
        TerminateAsync("SELECT pid FROM pg_stat_activity WHERE application_name = $1", applicationName);

    /// <summary>Ends one session and returns when it is gone.</summary>
    public Task<int> TerminateAsync(int session) => TerminateAsync("SELECT $1", session);

    /// <summary>Ends the sessions whose process ids a query with the parameters $1, $2, … gives, and returns when they are gone, with their number.</summary>
    public async Task<int> TerminateAsync(string sessions, params object[] parameters)
    {
        var ended = await ScalarAsync<int[]>(
            $"SELECT coalesce(array_agg(pid) FILTER (WHERE pg_terminate_backend(pid)), '{{}}') FROM ({sessions}) AS session(pid)", parameters);

        // pg_terminate_backend itself waits from PostgreSQL 14 on only.
        await Eventually.BecomesAsync(async () => await ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY ($1)", ended) == 0, "the sessions have ended");
        return ended.Length;
    }

    /// <summary>Removes a database with the sessions in it. Nothing happens where it does not exist.</summary>
    public async Task DropDatabaseAsync(string name)
    {
        if (!await ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name))
            return;

        // WITH (FORCE) is of PostgreSQL 13. DROP DATABASE waits some seconds for sessions that are ending.
        await ExecuteAsync($"ALTER DATABASE {Quoted(name)} ALLOW_CONNECTIONS false");
        await ScalarAsync<long>("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1", name);
        await ExecuteAsync($"DROP DATABASE {Quoted(name)}");
    }

    /// <exception cref="NotSupportedException">Not <see cref="CanRestart"/>.</exception>
    public Task StopAsync(PostgresShutdown mode = PostgresShutdown.Fast, CancellationToken cancellationToken = default) =>
        Local.StopAsync(mode, cancellationToken);

    /// <summary>Starts the server after <see cref="StopAsync"/>, on the same port.</summary>
    /// <exception cref="NotSupportedException">Not <see cref="CanRestart"/>.</exception>
    public Task StartAgainAsync(CancellationToken cancellationToken = default) => Local.StartAgainAsync(cancellationToken);

    /// <exception cref="NotSupportedException">Not <see cref="CanRestart"/>.</exception>
    public async Task RestartAsync(PostgresShutdown mode = PostgresShutdown.Fast, CancellationToken cancellationToken = default)
    {
        await StopAsync(mode, cancellationToken);
        await StartAgainAsync(cancellationToken);
    }

    /// <summary>Changes settings that need no restart. New sessions have them when this returns.</summary>
    public async Task ChangeSettingsAsync(IReadOnlyDictionary<string, string> settings)
    {
        foreach (var (name, value) in settings)
            await ExecuteAsync($"ALTER SYSTEM SET {name} = '{value.Replace("'", "''", StringComparison.Ordinal)}'");

        // A new session inherits the time from the process that accepted it, and that one reads its settings before it accepts the next.
        const string LoadTime = "SELECT pg_conf_load_time()";
        var before = await ScalarAsync<DateTime>(LoadTime);
        await ExecuteAsync("SELECT pg_reload_conf()");
        await Eventually.BecomesAsync(async () => await ScalarAsync<DateTime>(LoadTime) > before, "the server has read its settings");
    }

    /// <summary>Has the server show this certificate to those that connect after this returns. Sessions that are there go on.</summary>
    /// <exception cref="NotSupportedException">The server was started without <see cref="PostgresServerOptions.Tls"/>.</exception>
    public Task UseCertificateAsync(TestCertificate certificate) => ChangeSettingsAsync(Local.SettingsFor(certificate));

    /// <summary>The server's whole log so far.</summary>
    /// <exception cref="NotSupportedException">Not <see cref="CanRestart"/>.</exception>
    public Task<string> ReadLogAsync(CancellationToken cancellationToken = default) => Local.ReadLogAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;

        if (Source == PostgresServerSource.Environment)
        {
            foreach (var name in _databases)
                await DropDatabaseAsync(name);
        }

        await Admin.DisposeAsync();
        if (_owned is not null)
            await _owned.DisposeAsync();
    }

    /// <exception cref="WayUnavailableException">It is of another version than the one asked for.</exception>
    internal async Task CheckVersionAsync(int? asked)
    {
        var version = await GetVersionAsync();
        if (asked is not null && asked != version)
            throw new WayUnavailableException($"the server is of PostgreSQL {version}, not {asked}");
    }

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private NpgsqlCommand Command(string sql, object[] parameters)
    {
        var command = Admin.CreateCommand(sql);
        foreach (var value in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
