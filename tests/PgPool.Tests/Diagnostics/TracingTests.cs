using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Npgsql;
using PgPool.Tests.Integration;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Diagnostics;

public sealed class TracingTests : PoolTest
{
    private readonly ConcurrentQueue<Activity> _spans = [];
    private readonly ActivityListener _listener;

    public TracingTests(ServerFixture fixture) : base(fixture)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == PgPoolTelemetry.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                if (span.GetTagItem("db.client.connection.pool.name") as string == ApplicationName)
                    _spans.Enqueue(span);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public override ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return base.DisposeAsync();
    }

    [Fact]
    public async Task Open_IsASpanOfTheServer()
    {
        var pool = Pool(options => options.Name = ApplicationName);
        await pool.WarmUpAsync(Stop);
        await using var lease = await pool.RentAsync(Stop);

        var open = Assert.Single(_spans, static span => span.DisplayName == "pgpool open");
        var server = new NpgsqlConnectionStringBuilder(ConnectionString);
        Assert.Equal(ActivityKind.Client, open.Kind);
        Assert.Equal(ActivityStatusCode.Unset, open.Status);
        Assert.Equal("postgresql", open.GetTagItem("db.system.name"));
        Assert.Equal(server.Database, open.GetTagItem("db.namespace"));
        Assert.Equal(server.Host, open.GetTagItem("server.address"));
        Assert.Equal(server.Port, open.GetTagItem("server.port"));
        Assert.Equal(lease.BackendProcessId, open.GetTagItem("db.client.connection.pgpool.backend"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rent_ThatWaited_IsASpanAndOneThatDidNotIsNone(bool async)
    {
        var pool = Pool(options => (options.Name, options.MaxSize) = (ApplicationName, 1));
        (await RentAsync(pool, async)).Dispose();
        _spans.Clear();

        var lease = await RentAsync(pool, async);
        Assert.Empty(_spans);
        var next = RentAsync(pool, async);
        await Eventually.BecomesAsync(() => pool.GetStatistics().Waiting == 1, "it waits");
        await ReturnAsync(lease, async);
        (await next).Dispose();

        var rent = Assert.Single(_spans);
        Assert.Equal("pgpool rent", rent.DisplayName);
        Assert.True(rent.Duration > TimeSpan.Zero);
        Assert.StartsWith("PoolTest.cs:", rent.GetTagItem("db.client.connection.pgpool.call_site") as string);
        Assert.Equal(ActivityStatusCode.Unset, rent.Status);
    }

    [Fact]
    public async Task Rent_ThatTimedOut_IsAFailedSpan()
    {
        var pool = Pool(options => (options.Name, options.MaxSize) = (ApplicationName, 1));
        await using var lease = await pool.RentAsync(Stop);
        _spans.Clear();

        await Assert.ThrowsAsync<PoolTimeoutException>(async () => await pool.RentAsync(new() { Timeout = TimeSpan.FromMilliseconds(1), Label = "late" }, Stop));

        var rent = Assert.Single(_spans);
        Assert.Equal(ActivityStatusCode.Error, rent.Status);
        Assert.Equal(typeof(PoolTimeoutException).FullName, rent.GetTagItem("error.type"));
        Assert.Equal("late", rent.GetTagItem("db.client.connection.pgpool.label"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ListenersThatThrow_CostNoConnection(bool async)
    {
        using var spans = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == PgPoolTelemetry.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span => Throw(span.GetTagItem("db.client.connection.pool.name")),
        };
        ActivitySource.AddActivityListener(spans);
        using var measurements = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == PgPoolTelemetry.MeterName && instrument is Histogram<double>)
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        measurements.SetMeasurementEventCallback<double>((_, _, tags, _) => Throw(tags[0].Value));
        measurements.Start();
        var pool = Pool(options => (options.Name, options.MaxSize) = (ApplicationName, 1));

        for (var i = 0; i < 3; i++)
        {
            var lease = await RentAsync(pool, async);
            var next = RentAsync(pool, async);
            await Eventually.BecomesAsync(() => pool.GetStatistics().Waiting == 1, "it waits");
            await ExecuteAsync(lease, "SELECT 1");
            await ReturnAsync(lease, async);
            await ReturnAsync(await next, async);
        }
        await SettledAsync(pool);

        Assert.Equal((1, 1L, 0L), (pool.GetStatistics().Idle, pool.GetStatistics().Opened, pool.GetStatistics().Abandoned));

        void Throw(object? name)
        {
            if (name as string == ApplicationName)
                throw new InvalidOperationException("a listener's own failure");
        }
    }

    [Fact]
    public async Task ListenerThatThrows_LeavesTheRentersSpanCurrent()
    {
        using var throwing = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == PgPoolTelemetry.ActivitySourceName,
            ActivityStarted = span =>
            {
                if (span.Parent?.OperationName == ApplicationName)
                    throw new InvalidOperationException("a listener's own failure");
            },
        };
        var pool = Pool(options => (options.Name, options.MaxSize) = (ApplicationName, 1));
        await using var lease = await pool.RentAsync(Stop);
        using var renters = new Activity(ApplicationName).Start();
        using (throwing)
        {
            ActivitySource.AddActivityListener(throwing);
            Assert.Throws<PoolTimeoutException>(() => pool.Rent(new() { Timeout = TimeSpan.Zero }, Stop));
        }

        Assert.Same(renters, Activity.Current);
    }

    [Fact]
    public async Task Open_Refused_IsAFailedSpanWithoutThePassword()
    {
        var wrong = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "no such database", Password = "s3cr3t" }.ConnectionString;
        var pool = Pool(options => (options.Name, options.ConnectionString) = (ApplicationName, wrong));

        await Assert.ThrowsAsync<PoolConnectException>(async () => await pool.RentAsync(Stop));

        var open = Assert.Single(_spans, static span => span.DisplayName == "pgpool open");
        Assert.Equal(ActivityStatusCode.Error, open.Status);
        Assert.Contains(open.Events, static happened => happened.Name == "exception");
        var told = string.Join(' ', _spans.SelectMany(static span => span.TagObjects.Concat(span.Events.SelectMany(static e => e.Tags))).Select(static tag => tag.Value));
        Assert.DoesNotContain("s3cr3t", told);
        Assert.Contains("no such database", told);
    }
}
