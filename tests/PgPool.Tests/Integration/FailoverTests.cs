using System.Collections.Concurrent;
using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>A primary that fails or is demoted, and a standby that takes its place. Each test has servers of its own.</summary>
public sealed class FailoverTests(ServerFixture fixture) : PoolTest(fixture)
{
    private readonly ReplicatedServers _servers = new();
    private readonly ConcurrentQueue<string> _wrong = [];

    // What workers must find from now on: set once the failover is done.
    private volatile PostgresServer? _onlyOn;
    private int _rightOnes;

    public override ValueTask InitializeAsync() => _servers.InitializeAsync();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _servers.DisposeAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("Target Session Attributes=primary")]
    public async Task Failover_UnderLoad_MovesToTheNewPrimaryAndStaysThere(string keywords)
    {
        var (old, promoted) = (_servers.Primary, _servers.Standby);
        await old.ExecuteAsync("CREATE TABLE written (at timestamptz DEFAULT clock_timestamp())");
        await old.WaitUntilCaughtUpAsync(promoted);
        var pool = PoolOn(_servers.ConnectionString([ReplicatedServers.Port(old), ReplicatedServers.Port(promoted)], keywords));
        using var enough = new CancellationTokenSource();
        var workers = StartWorkers(pool, enough.Token);
        await Eventually.BecomesAsync(() => pool.GetStatistics().Rented > 100, "they write to the primary");

        await old.StopAsync(PostgresShutdown.Immediate, Stop);
        await promoted.PromoteAsync(Stop);
        _onlyOn = promoted;
        await MoreRightOnesAsync();

        // What comes back stands first in the connection string.
        await old.StartAgainAsStandbyAsync(Stop);
        pool.Clear();
        await MoreRightOnesAsync();
        Assert.Equal(0, await old.CountBackendsAsync(ApplicationName));

        await enough.CancelAsync();
        await workers;
        Assert.Empty(_wrong);
    }

    [Fact]
    public async Task Demotion_UnderLoad_MovesToTheNewPrimaryThoughTheOldOneLives()
    {
        await NeedsVersionAsync(14, "a server that tells its sessions that it is read-only");
        var (old, promoted) = (_servers.Primary, _servers.Standby);
        await old.ExecuteAsync("CREATE TABLE written (at timestamptz DEFAULT clock_timestamp())");
        await old.WaitUntilCaughtUpAsync(promoted);

        // As behind a virtual address, or a name.
        await using var address = FaultProxy.InFrontOf(old.ConnectionString);
        var pool = PoolOn(address.ConnectionStringFor(old.ConnectionString));
        using var enough = new CancellationTokenSource();
        var workers = StartWorkers(pool, enough.Token);
        await Eventually.BecomesAsync(() => pool.GetStatistics().Rented > 100, "they write to the primary");

        await DemoteAsync(old);
        await promoted.PromoteAsync(Stop);
        address.Target = new("127.0.0.1", ReplicatedServers.Port(promoted));
        _onlyOn = promoted;
        await MoreRightOnesAsync();

        await enough.CancelAsync();
        await workers;
        Assert.Empty(_wrong);
        await Eventually.BecomesAsync(async () => await old.CountBackendsAsync(ApplicationName) == 0, "no session is left on the old one");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Demotion_IdleAndReturnedSessions_AreNotLentAgain(bool async)
    {
        await NeedsVersionAsync(14, "a server that tells its sessions that it is read-only");
        var old = _servers.Primary;
        await using var address = FaultProxy.InFrontOf(old.ConnectionString);

        // So fresh that without the server's own word they would be lent unseen.
        var pool = PoolOn(address.ConnectionStringFor(old.ConnectionString), options => options.ValidateAfterIdle = TimeSpan.FromHours(1));
        var lease = await RentAsync(pool, async);
        await (await pool.RentAsync(Stop)).DisposeAsync();
        Assert.Equal((1, 1), (pool.GetStatistics().Idle, pool.GetStatistics().Leased));

        await DemoteAsync(old);
        var exception = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(lease, "CREATE TABLE refused ()"));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, exception.SqlState);
        await ReturnAsync(lease, async);
        await SettledAsync(pool);
        Assert.Equal(1, pool.GetStatistics().ClosedByReason[CloseReason.ValidationFailed]);

        var timeout = await Assert.ThrowsAsync<PoolTimeoutException>(() => RentAsync(pool, async, TimeSpan.FromSeconds(1)));
        Assert.Contains("read-only", timeout.Message, StringComparison.Ordinal);

        await _servers.Standby.PromoteAsync(Stop);
        address.Target = new("127.0.0.1", ReplicatedServers.Port(_servers.Standby));
        var next = await RentAsync(pool, async);
        Assert.Equal($"{ReplicatedServers.Port(_servers.Standby)}", await ScalarAsync<string>(next, "SHOW port"));
        await ReturnAsync(next, async);
    }

    private ConnectionPool PoolOn(string connectionString, Action<ConnectionPoolOptions>? configure = null) => Pool(options =>
    {
        options.ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = ApplicationName }.ConnectionString;
        options.RequireReadWrite = true;
        options.ValidateAfterIdle = TimeSpan.Zero;
        configure?.Invoke(options);
    });

    /// <summary>A session opened after the server has told all others of its new settings finds it read-only.</summary>
    private static async Task DemoteAsync(PostgresServer server)
    {
        await server.ExecuteAsync("ALTER SYSTEM SET default_transaction_read_only = on");
        await server.ExecuteAsync("SELECT pg_reload_conf()");
        await Eventually.BecomesAsync(async () => await server.ScalarAsync<string>("SHOW default_transaction_read_only") == "on", "it is read-only");
    }

    private Task MoreRightOnesAsync()
    {
        var until = Volatile.Read(ref _rightOnes) + 100;
        return Eventually.BecomesAsync(() => Volatile.Read(ref _rightOnes) >= until || !_wrong.IsEmpty, "they write to the new primary");
    }

    /// <summary>Half of them blocking.</summary>
    private Task StartWorkers(ConnectionPool pool, CancellationToken enough) => Task.WhenAll(Enumerable.Range(0, 8).Select(
        worker => Blocking.RunAsync(() => WriteUntilAsync(pool, async: worker % 2 == 0, enough))));

    private async Task WriteUntilAsync(ConnectionPool pool, bool async, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            var onlyOn = _onlyOn;
            ConnectionLease lease;
            try
            {
                lease = async ? await pool.RentAsync(Stop) : pool.Rent(Stop);
            }
            catch (PoolException)
            {
                // The failover takes its time.
                continue;
            }
            try
            {
                await WriteAsync(lease, onlyOn, async);
            }
            catch (NpgsqlException) when (onlyOn is null)
            {
                // It was on the old primary when that failed.
            }
            catch (NpgsqlException exception)
            {
                _wrong.Enqueue($"port {lease.Connection.Port}: {exception.Message}");
            }
            finally
            {
                await ReturnAsync(lease, async);
            }
        }
    }

    private async Task WriteAsync(ConnectionLease lease, PostgresServer? onlyOn, bool async)
    {
        await using var look = lease.CreateCommand(
            "SELECT format('%s %s %s', current_setting('port'), pg_is_in_recovery(), current_setting('transaction_read_only'))");
        var found = async ? await look.ExecuteScalarAsync(Stop) : look.ExecuteScalar();
        if (onlyOn is not null && found as string != $"{ReplicatedServers.Port(onlyOn)} f off")
            _wrong.Enqueue($"{found}");

        await using var write = lease.CreateCommand("INSERT INTO written DEFAULT VALUES");
        _ = async ? await write.ExecuteNonQueryAsync(Stop) : write.ExecuteNonQuery();
        if (onlyOn is not null)
            Interlocked.Increment(ref _rightOnes);
    }
}
