using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>Servers that refuse, are away, or answer late.</summary>
public sealed class OpeningTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rent_NoSuchDatabase_FailsAtOnceAndWorksWhenThereIsOne(bool async)
    {
        var database = $"pgpool_{Guid.NewGuid():N}";
        var pool = Pool(options => options.ConnectionString = With(builder => builder.Database = database));

        var exception = await Assert.ThrowsAsync<PoolConnectException>(() => RentAsync(pool, async));

        Assert.Equal(PostgresErrorCodes.InvalidCatalogName, Assert.IsType<PostgresException>(exception.InnerException).SqlState);
        Assert.False(exception.IsTransient);
        Assert.Same(exception.InnerException, pool.GetStatistics().LastOpenError);
        pool.Resize(1, 4);
        await Assert.ThrowsAsync<PoolConnectException>(() => pool.WarmUpAsync(Stop));

        await Server.CreateDatabaseAsync(database);
        await using var lease = await RentAsync(pool, async);
        Assert.Equal(database, lease.Connection.Database);
        Assert.Null(pool.GetStatistics().LastOpenError);
    }

    [Fact]
    public async Task Rent_NoSuchRole_FailsAtOnceWithNoPasswordInItsText()
    {
        var pool = Pool(options => options.ConnectionString = With(builder =>
        {
            builder.Username = "nobody_by_this_name";
            builder.Password = "s3cr3t-word";
        }));

        var exception = await Assert.ThrowsAsync<PoolConnectException>(() => RentAsync(pool, async: true));

        Assert.DoesNotContain("s3cr3t", exception.ToString() + pool + pool.GetStatistics() + string.Join(' ', Log.Entries));
    }

    [Fact]
    public async Task Rent_CertificateThatDoesNotFit_FailsAtOnce()
    {
        var pool = Pool(options => options.ConnectionString = With(builder => builder.SslMode = SslMode.VerifyFull));

        await Assert.ThrowsAsync<PoolConnectException>(() => RentAsync(pool, async: true));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rent_ServerRefuses_SaysSoWhenItTimesOut(bool async)
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        proxy.Mode = FaultMode.Refuse;
        var pool = Pool(options =>
        {
            options.ConnectionString = proxy.ConnectionStringFor(ConnectionString);
            options.RentTimeout = TimeSpan.FromMilliseconds(300);
        });

        var exception = await Assert.ThrowsAsync<PoolTimeoutException>(() => RentAsync(pool, async));

        Assert.Contains("the server is unreachable", exception.Message);
        Assert.IsAssignableFrom<NpgsqlException>(exception.InnerException);
        Assert.True(exception.IsTransient);
        Assert.True(exception.Waited >= TimeSpan.FromMilliseconds(300));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rent_ServerComesBackWhileItWaits_Succeeds(bool async)
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        proxy.Mode = FaultMode.Refuse;
        var pool = Pool(options =>
        {
            options.ConnectionString = proxy.ConnectionStringFor(ConnectionString);
            options.MaxReconnectDelay = options.ReconnectDelay;
        });
        var rents = Enumerable.Range(0, 4).Select(_ => Task.Run(() => RentAsync(pool, async), Stop)).ToArray();
        await Eventually.BecomesAsync(() => pool.GetStatistics().OpenFailed >= 3, "the prober has tried three times");

        proxy.Mode = FaultMode.Pass;

        foreach (var lease in await Task.WhenAll(rents))
            await lease.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rent_ServerDeaf_SaysThatItIsSlow(bool async)
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        proxy.Mode = FaultMode.Deaf;
        var pool = Pool(options =>
        {
            options.ConnectionString = proxy.ConnectionStringFor(ConnectionString);
            options.RentTimeout = TimeSpan.FromMilliseconds(300);
            options.OpenTimeout = TimeSpan.FromSeconds(2);
        });

        var exception = await Assert.ThrowsAsync<PoolTimeoutException>(() => RentAsync(pool, async));

        Assert.Contains("the server is slow", exception.Message);
        await Eventually.BecomesAsync(() => pool.GetStatistics() is { OpenFailed: > 0, LastOpenError: not null }, "the attempt to open has ended at OpenTimeout");
    }

    [Fact]
    public async Task Rent_PoolFull_NamesTheHolders()
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using var held = await pool.RentAsync(new() { Label = "nightly import" }, Stop);

        var exception = await Assert.ThrowsAsync<PoolTimeoutException>(async () => await pool.RentAsync(new() { Timeout = TimeSpan.FromMilliseconds(50) }, Stop));

        Assert.Contains("the pool is full", exception.Message);
        Assert.Contains("'nightly import' at OpeningTests.cs:", exception.Message);
        Assert.Contains($"backend {held.BackendProcessId}", exception.Message);
        Assert.Equal(held.Id, Assert.Single(exception.Leases).Id);
        Assert.Null(exception.InnerException);
        Assert.Equal(pool.Name, exception.PoolName);
        Assert.Equal(1, exception.Statistics.TimedOut);
    }

    [Fact]
    public async Task Rent_ServerFull_ServesFromWhatThereIs()
    {
        // The server answers for a role that has all its connections as it does when it is full itself.
        var role = $"few_{Guid.NewGuid():N}";
        await Server.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'few' CONNECTION LIMIT 3");
        var pool = Pool(options =>
        {
            options.ConnectionString = With(builder => (builder.Username, builder.Password) = (role, "few"));
            options.MaxSize = 20;
        });
        var leases = new Stack<ConnectionLease>();

        var exception = await Assert.ThrowsAsync<PoolTimeoutException>(async () =>
        {
            while (true)
                leases.Push(await pool.RentAsync(new() { Timeout = TimeSpan.FromSeconds(3) }, Stop));
        });
        Assert.Contains("the server is full (53300)", exception.Message);
        var maximum = await Server.ScalarAsync<string>("SHOW max_connections");
        Assert.Contains($"This pool has 3 of the {maximum} connections that the server allows (max_connections), and may take 20 (MaxSize)", exception.Message);
        Assert.Contains(Log.Warnings, warning => warning.Contains($"This pool has 3 of the {maximum} connections"));
        Assert.Equal(3, leases.Count);

        var waiting = pool.RentAsync(Stop);
        await leases.Pop().DisposeAsync();
        leases.Push(await waiting);
        while (leases.TryPop(out var lease))
            await lease.DisposeAsync();
    }

    [Fact]
    public async Task RequireReadWrite_ServerReadOnly_IsWaitedOut()
    {
        var database = await Server.CreateDatabaseAsync();
        var name = new NpgsqlConnectionStringBuilder(database).Database;
        await Server.ExecuteAsync($"ALTER DATABASE {name} SET default_transaction_read_only = on");
        var pool = Pool(options =>
        {
            options.ConnectionString = database;
            options.RequireReadWrite = true;
            options.ValidateAfterIdle = TimeSpan.Zero;
        });

        // The first one may time out before a session was opened.
        await Eventually.BecomesAsync(async () => (await Assert.ThrowsAsync<PoolTimeoutException>(
            async () => await pool.RentAsync(new() { Timeout = TimeSpan.FromMilliseconds(300) }, Stop))).Message.Contains("read-only", StringComparison.Ordinal),
            "the message says that the server is read-only");

        await Server.ExecuteAsync($"ALTER DATABASE {name} RESET default_transaction_read_only");
        await using (var lease = await pool.RentAsync(Stop))
            Assert.Equal("off", await ScalarAsync<string>(lease, "SHOW transaction_read_only"));
        await SettledAsync(pool);
        Assert.Equal(0, await pool.CheckAsync(Stop));
    }

    [Fact]
    public async Task OnConnectionOpened_Throws_IsATransientFailure()
    {
        var calls = 0;
        var pool = Pool(options => options.OnConnectionOpened = (_, _) => Interlocked.Increment(ref calls) == 1
            ? throw new PostgresException("no", "FATAL", "FATAL", PostgresErrorCodes.InvalidPassword)
            : default);

        await using var lease = await pool.RentAsync(Stop);

        Assert.Equal(2, calls);
        Assert.Equal((1L, 1L), (pool.GetStatistics().OpenFailed, pool.GetStatistics().Opened));
    }

    private string With(Action<NpgsqlConnectionStringBuilder> change)
    {
        var builder = new NpgsqlConnectionStringBuilder(ConnectionString);
        change(builder);
        return builder.ConnectionString;
    }

    private static async Task<ConnectionLease> RentAsync(ConnectionPool pool, bool async) => async ? await pool.RentAsync(Stop) : pool.Rent(Stop);
}
