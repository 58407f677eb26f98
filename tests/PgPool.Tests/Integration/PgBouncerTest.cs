using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>A test with a PgBouncer of its own between its pools and the server.</summary>
public abstract class PgBouncerTest(ServerFixture fixture) : PoolTest(fixture)
{
    private PgBouncer? _bouncer;

    /// <summary>Either mode of PgBouncer, asynchronous or not.</summary>
    public static MatrixTheoryData<PgBouncerPoolMode, bool> Modes => new(Enum.GetValues<PgBouncerPoolMode>(), [true, false]);

    protected PgBouncer Bouncer => _bouncer ?? throw new InvalidOperationException("PgBouncer is not started yet.");

    public override async ValueTask DisposeAsync()
    {
        // It keeps server connections when its clients are gone.
        if (_bouncer is not null)
            await _bouncer.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts it; on a machine without PgBouncer, the test is skipped.</summary>
    protected async Task StartAsync(PgBouncerPoolMode mode, Dictionary<string, string>? settings = null) =>
        _bouncer = await Installed.StartPgBouncerAsync(Server, mode, settings);

    /// <summary>A pool through PgBouncer to the test's server, or to the database given.</summary>
    protected ConnectionPool PoolBehind(Action<ConnectionPoolOptions>? configure = null, string? connectionString = null) => Pool(options =>
    {
        options.ConnectionString = Bouncer.ConnectionStringFor(connectionString ?? ConnectionString);
        configure?.Invoke(options);
    });

    /// <summary>The server's own number of the backend; what PgBouncer tells a client is made up.</summary>
    protected static Task<int> BackendAsync(ConnectionLease lease) => ScalarAsync<int>(lease, "SELECT pg_backend_pid()");

    /// <summary>Workers that each rent, run the SQL and return, that many times.</summary>
    protected static Task WorkAsync(ConnectionPool pool, int workers, int times, bool async, string sql)
    {
        var token = Stop;
        return Task.WhenAll(Enumerable.Range(0, workers).Select(_ => async ? Task.Run(RunAsync, token) : Blocking.RunAsync(Run)));

        async Task RunAsync()
        {
            for (var i = 0; i < times; i++)
            {
                await using var lease = await pool.RentAsync(token);
                await ExecuteAsync(lease, sql);
            }
        }

        void Run()
        {
            for (var i = 0; i < times; i++)
            {
                using var lease = pool.Rent(token);
                using var command = lease.CreateCommand(sql);
                command.ExecuteNonQuery();
            }
        }
    }

    /// <summary>Statements of this test that the server runs at this moment.</summary>
    protected Task<int> RunningAsync(string like) => Server.ScalarAsync<int>(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state = 'active' AND query LIKE $2", ApplicationName, like);
}
