using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using PgPool.Tests.Integration;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Diagnostics;

public sealed class MetricsTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Count = "db.client.connection.count db.client.connection.state=";

    [Fact]
    public async Task Gauges_TellThePoolAsItIs()
    {
        var pool = Pool(options => (options.Name, options.MinSize, options.MaxSize) = (ApplicationName, 1, 2));
        using var measurements = new Measurements(ApplicationName);

        await using var one = await pool.RentAsync(Stop);
        await using var two = await pool.RentAsync(Stop);
        var waiting = pool.RentAsync(Stop);
        var busy = measurements.Observe();
        await two.DisposeAsync();
        await using (await waiting)
        {
        }
        await Eventually.BecomesAsync(() => pool.GetStatistics().Idle == 1, "one is idle");
        var calm = measurements.Observe();

        Assert.Equal((0.0, 2.0, 1.0), (busy[Count + "idle"], busy[Count + "used"], busy["db.client.connection.pending_requests"]));
        Assert.Equal((1.0, 1.0, 0.0), (calm[Count + "idle"], calm[Count + "used"], calm["db.client.connection.pending_requests"]));
        Assert.Equal(
            (2.0, 1.0, 2.0), (calm["db.client.connection.idle.max"], calm["db.client.connection.idle.min"], calm["db.client.connection.max"]));
    }

    [Fact]
    public async Task Counters_TellWhatHappened()
    {
        var pool = Pool(options => (options.Name, options.MaxSize) = (ApplicationName, 1));
        using var measurements = new Measurements(ApplicationName);

        await using (var lease = await pool.RentAsync(Stop))
        {
            await Assert.ThrowsAsync<PoolTimeoutException>(async () => await pool.RentAsync(new() { Timeout = TimeSpan.Zero }, Stop));
            await ExecuteAsync(lease, "BEGIN");
            lease.Discard();
        }
        await using (var lease = await pool.RentAsync(Stop))
            await ExecuteAsync(lease, "BEGIN");
        await SettledAsync(pool);

        var told = measurements.Observe();
        Assert.Equal(1, told["db.client.connection.timeouts"]);
        Assert.Equal(1, told["db.client.connection.pgpool.dirty_returns"]);
        Assert.Equal(0, told["db.client.connection.pgpool.abandoned"]);
        Assert.Equal(0, told["db.client.connection.pgpool.open_failures"]);
        Assert.Equal(1, told["db.client.connection.pgpool.closed db.client.connection.pgpool.close_reason=Discarded"]);
        Assert.Equal(0, told["db.client.connection.pgpool.closed db.client.connection.pgpool.close_reason=Broken"]);
    }

    [Fact]
    public async Task OpenFailures_AreCounted()
    {
        var nowhere = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "no such database" }.ConnectionString;
        var pool = Pool(options => (options.Name, options.ConnectionString) = (ApplicationName, nowhere));
        using var measurements = new Measurements(ApplicationName);

        await Assert.ThrowsAsync<PoolConnectException>(async () => await pool.RentAsync(Stop));

        Assert.Equal(1, measurements.Observe()["db.client.connection.pgpool.open_failures"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Durations_AreRecordedForEach(bool async)
    {
        var pool = Pool(options => (options.Name, options.MaxSize) = (ApplicationName, 1));
        using var measurements = new Measurements(ApplicationName);

        for (var i = 0; i < 3; i++)
        {
            var lease = await RentAsync(pool, async);
            await ExecuteAsync(lease, "SELECT 1");
            await ReturnAsync(lease, async);
        }
        (await RentAsync(pool, async)).Dispose();
        await SettledAsync(pool);

        Assert.Single(measurements.Recorded("db.client.connection.create_time"));
        Assert.Equal(4, measurements.Recorded("db.client.connection.wait_time").Count);
        Assert.Equal(4, measurements.Recorded("db.client.connection.use_time").Count);
        Assert.Equal(3, measurements.Recorded("db.client.connection.pgpool.reset_time").Count);
        // Who came first waited for the open, of which they all know.
        var (opened, waited) = (measurements.Recorded("db.client.connection.create_time")[0], measurements.Recorded("db.client.connection.wait_time")[0]);
        Assert.InRange(opened, double.Epsilon, 30);
        Assert.InRange(waited, double.Epsilon, 30);
    }

    [Fact]
    public async Task Instruments_HaveTheNamesUnitsAndKindsOfTheConventions()
    {
        var instruments = new Dictionary<string, Instrument>();
        await using var provider = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var factory = provider.GetRequiredService<IMeterFactory>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Scope == factory)
                    instruments.Add(instrument.Name, instrument);
            },
        };
        listener.Start();

        // Of several pools on one meter there is still one instrument each.
        Pool(options => options.MeterFactory = factory);
        Pool(options => options.MeterFactory = factory);

        const string Prefix = "db.client.connection.";
        Check<ObservableUpDownCounter<long>>("{connection}", "count", "idle.max", "idle.min", "max");
        Check<ObservableUpDownCounter<long>>("{request}", "pending_requests");
        Check<ObservableCounter<long>>("{timeout}", "timeouts");
        Check<Histogram<double>>("s", "create_time", "wait_time", "use_time", "pgpool.reset_time");
        Check<ObservableCounter<long>>("{lease}", "pgpool.abandoned", "pgpool.dirty_returns");
        Check<ObservableCounter<long>>("{connection}", "pgpool.closed");
        Check<ObservableCounter<long>>("{attempt}", "pgpool.open_failures");
        Assert.Empty(instruments);

        void Check<TInstrument>(string unit, params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                Assert.True(instruments.Remove(Prefix + name, out var instrument), name);
                Assert.IsType<TInstrument>(instrument);
                Assert.Equal(unit, instrument.Unit);
                Assert.False(string.IsNullOrEmpty(instrument.Description));
            }
        }
    }

    [Fact]
    public async Task ClosedPool_IsToldOfNoLonger()
    {
        await using var provider = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var factory = provider.GetRequiredService<IMeterFactory>();
        using var measurements = new Measurements(ApplicationName, factory);
        var pool = Pool(options => (options.Name, options.MeterFactory) = (ApplicationName, factory));
        var lease = await pool.RentAsync(Stop);

        pool.Dispose();
        Assert.Equal(1, measurements.Observe()[Count + "used"]);
        await lease.DisposeAsync();

        await Eventually.BecomesAsync(() => measurements.Observe().Count == 0, "its last connection is gone");
    }

    [Fact]
    public async Task NobodyListens_ARentAllocatesAsMuchAsEver()
    {
        var pool = Pool(options => options.MaxSize = 1);
        await using (await pool.RentAsync(Stop))
        {
        }
        for (var i = 0; i < 1_000; i++)
            pool.Rent(Stop).Dispose();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
            pool.Rent(Stop).Dispose();

        // The lease itself.
        Assert.Equal(64, (GC.GetAllocatedBytesForCurrentThread() - before) / 1_000);
    }
}
