using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>Connection strings with several hosts.</summary>
public sealed class SeveralHostsTests(ServerFixture fixture, ReplicatedServers servers) : PoolTest(fixture), IClassFixture<ReplicatedServers>
{
    public static TheoryData<string, bool, bool, bool> ToThePrimary => new(
        from way in new[] { ("Target Session Attributes=primary", false), ("Target Session Attributes=read-write", false),
            ("Target Session Attributes=prefer-primary", false), ("", true), ("Target Session Attributes=primary", true) }
        from standbyFirst in new[] { true, false }
        from async in new[] { true, false }
        select (way.Item1, way.Item2, standbyFirst, async));

    [Theory]
    [MemberData(nameof(ToThePrimary))]
    public async Task Rent_PrimaryWanted_IsOnThePrimaryWhereverItStands(string keywords, bool requireReadWrite, bool standbyFirst, bool async)
    {
        var pool = PoolOn(standbyFirst ? [Standby, Primary] : [Primary, Standby], keywords, options => options.RequireReadWrite = requireReadWrite);

        await EachIsOnAsync(pool, Primary, async);
    }

    [Theory]
    [InlineData("standby", true)]
    [InlineData("prefer-standby", false)]
    [InlineData("read-only", true)]
    public async Task Rent_StandbyWanted_IsOnTheStandby(string wanted, bool async)
    {
        var pool = PoolOn([Primary, Standby], $"Target Session Attributes={wanted}");

        await EachIsOnAsync(pool, Standby, async);
    }

    [Theory]
    [InlineData("", FaultMode.Refuse, true)]
    [InlineData("", FaultMode.Deaf, false)]
    [InlineData("Target Session Attributes=primary", FaultMode.Refuse, false)]
    [InlineData("Target Session Attributes=primary", FaultMode.Deaf, true)]
    [InlineData("Target Session Attributes=prefer-standby", FaultMode.Refuse, true)]
    [InlineData("Target Session Attributes=prefer-standby", FaultMode.Deaf, true)]
    [InlineData("Target Session Attributes=prefer-standby", FaultMode.Deaf, false)]
    public async Task Rent_FirstHostDown_IsOnTheSecond(string keywords, FaultMode down, bool async)
    {
        await using var first = FaultProxy.InFrontOf(servers.Standby.ConnectionString);
        first.Mode = down;

        // Npgsql counts in whole seconds: this leaves one for each turn of each host.
        var pool = PoolOn([first.Port, Primary], keywords, options =>
        {
            options.OpenTimeout = TimeSpan.FromSeconds(5);
            options.MaxSize = 2;
        });

        await EachIsOnAsync(pool, Primary, async);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_Busy_DoesNotMakeItsHostUnfitForTheNext(bool async)
    {
        var pool = PoolOn([Primary, Standby], "Target Session Attributes=primary", options => options.MaxSize = 1);
        for (var i = 0; i < 3; i++)
        {
            var lease = await pool.RentAsync(Stop);
            var session = lease.BackendProcessId;
            var running = ExecuteAsync(lease, "SELECT pg_sleep(600)");
            await ReturnAsync(lease, async);
            await Assert.ThrowsAnyAsync<Exception>(() => running);
            await Eventually.BecomesAsync(
                async () => await servers.Primary.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", session) == 0, "its backend is gone");
        }

        await EachIsOnAsync(pool, Primary, async);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rent_NoHostFits_WaitsUntilOneDoes(bool async)
    {
        await using var other = FaultProxy.InFrontOf(servers.Standby.ConnectionString);
        var pool = PoolOn([Standby, other.Port], "Target Session Attributes=primary", options => options.MaxReconnectDelay = options.ReconnectDelay);

        var exception = await Assert.ThrowsAsync<PoolTimeoutException>(() => RentAsync(pool, async, TimeSpan.FromSeconds(1)));
        Assert.Contains("Target Session Attributes", exception.Message, StringComparison.Ordinal);
        other.Target = new("127.0.0.1", Primary);

        await EachIsOnAsync(pool, other.Port, async);
    }

    [Fact]
    public async Task Rent_AllHostsDown_SaysWhatIsWrongWithEach()
    {
        await using var first = FaultProxy.InFrontOf(ConnectionString);
        await using var second = FaultProxy.InFrontOf(ConnectionString);
        first.Mode = second.Mode = FaultMode.Refuse;
        var pool = Pool(options =>
        {
            options.ConnectionString += $";Host=127.0.0.1:{first.Port},127.0.0.1:{second.Port}";
            options.RentTimeout = TimeSpan.FromSeconds(1);
        });

        var exception = await Assert.ThrowsAsync<PoolTimeoutException>(async () => await pool.RentAsync(Stop));

        Assert.Contains($"127.0.0.1:{first.Port}", exception.Message, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{second.Port}", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=a;Target Session Attributes=primary", false, "for a single one, set RequireReadWrite")]
    [InlineData("Host=a,b;Target Session Attributes=standby", true, "against RequireReadWrite")]
    [InlineData("Host=a,b;Target Session Attributes=read-only", true, "against RequireReadWrite")]
    public void Construct_WhatCannotBe_IsRefused(string connectionString, bool requireReadWrite, string message)
    {
        var options = new ConnectionPoolOptions(connectionString) { RequireReadWrite = requireReadWrite };

        var exception = Assert.Throws<ArgumentException>(() => new ConnectionPool(options));

        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    private int Primary => ReplicatedServers.Port(servers.Primary);

    private int Standby => ReplicatedServers.Port(servers.Standby);

    private ConnectionPool PoolOn(IEnumerable<int> ports, string keywords, Action<ConnectionPoolOptions>? configure = null) => Pool(options =>
    {
        options.ConnectionString = servers.ConnectionString(ports, keywords);
        configure?.Invoke(options);
    });

    /// <summary>Takes all connections that the pool may have.</summary>
    private static async Task EachIsOnAsync(ConnectionPool pool, int port, bool async)
    {
        var leases = new Stack<ConnectionLease>();
        while (leases.Count < pool.MaxSize)
        {
            leases.Push(async ? await pool.RentAsync(Stop) : pool.Rent(Stop));
            Assert.Equal(port, leases.Peek().Connection.Port);
        }
        while (leases.TryPop(out var lease))
            await ReturnAsync(lease, async);
    }
}
