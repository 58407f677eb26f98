using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>A test with pools of its own on a real server, which looks at them from outside by their application name.</summary>
public abstract class PoolTest(PostgresServer server) : IAsyncLifetime
{
    private readonly List<ConnectionPool> _pools = [];
    private readonly List<string> _databases = [];

    /// <summary>On the server that all tests share.</summary>
    protected PoolTest(ServerFixture fixture) : this(fixture.Server)
    {
    }

    protected PostgresServer Server { get; } = server;

    protected string ApplicationName { get; } = $"pgpool-{Guid.NewGuid():N}";

    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    protected RecordingLog Log { get; } = new();

    /// <summary>The server's connection string under this test's name.</summary>
    protected string ConnectionString => new NpgsqlConnectionStringBuilder(Server.ConnectionString) { ApplicationName = ApplicationName }.ConnectionString;

    public virtual ValueTask InitializeAsync() => default;

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var pool in _pools)
            await pool.CloseAsync(TimeSpan.Zero);
        if (_pools.Count > 0)
            await Eventually.BecomesAsync(async () => await BackendsAsync() == 0, $"no session of {ApplicationName} is left");
        foreach (var database in _databases)
            await Server.DropDatabaseAsync(database);
        GC.SuppressFinalize(this);
    }

    /// <summary>Skips the test where the server is of an earlier version.</summary>
    protected Task NeedsVersionAsync(int major, string what) => Installed.NeedsVersionAsync(Server, major, what);

    /// <summary>A database that is dropped with the test, under the test's name.</summary>
    protected async Task<string> CreateDatabaseAsync()
    {
        var database = new NpgsqlConnectionStringBuilder(await Server.CreateDatabaseAsync()) { ApplicationName = ApplicationName };
        _databases.Add(database.Database!);
        return database.ConnectionString;
    }

    /// <summary>A pool that is closed with the test; of 0..4 connections, so that none is opened before the test asks for it.</summary>
    protected ConnectionPool Pool(Action<ConnectionPoolOptions>? configure = null)
    {
        var options = new ConnectionPoolOptions(ConnectionString) { MinSize = 0, MaxSize = 4, LoggerFactory = Log };
        configure?.Invoke(options);
        var pool = new ConnectionPool(options);
        _pools.Add(pool);
        return pool;
    }

    /// <summary>Awaits the end of a session: the server takes a moment to end the backend of a connection that was closed.</summary>
    protected Task BackendGoneAsync(int session) => Eventually.BecomesAsync(
        () => Server.ScalarAsync<bool>("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", session), $"backend {session} is gone");

    protected Task<int> BackendsAsync() => Server.CountBackendsAsync(ApplicationName);

    protected static Task SettledAsync(ConnectionPool pool) => pool.WaitUntilIdleAsync(Stop).WaitAsync(Eventually.Deadline, Stop);

    /// <summary>Rents in either mode, with the pool's timeout unless one is given; what blocks does so on a thread of its own.</summary>
    protected static Task<ConnectionLease> RentAsync(ConnectionPool pool, bool async, TimeSpan? timeout = null)
    {
        var options = new RentOptions { Timeout = timeout };
        var token = Stop;
        var rent = async ? pool.RentAsync(options, token).AsTask() : Blocking.RunAsync(() => pool.Rent(options, token));
        return rent.WaitAsync(Eventually.Deadline, token);
    }

    /// <summary>Returns a lease in either mode.</summary>
    protected static async Task ReturnAsync(ConnectionLease lease, bool async)
    {
        if (async)
            await lease.DisposeAsync();
        else
            lease.Dispose();
    }

    protected static async Task<T> ScalarAsync<T>(ConnectionLease lease, string sql)
    {
        await using var command = lease.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Stop))!;
    }

    protected static async Task ExecuteAsync(ConnectionLease lease, string sql)
    {
        await using var command = lease.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Stop);
    }
}
