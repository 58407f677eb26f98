using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using PgPool.Tests.Integration;
using Xunit;

namespace PgPool.Tests.Diagnostics;

/// <summary>As a user's collector sees it: OpenTelemetry's SDK with an exporter.</summary>
public sealed class OpenTelemetryTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Metrics_AreExportedWithValuesAndBuckets()
    {
        List<Metric> exported = [];
        using var provider = Sdk.CreateMeterProviderBuilder().AddMeter(PgPoolTelemetry.MeterName).AddInMemoryExporter(exported).Build();
        var pool = Pool(options => (options.Name, options.MaxSize) = (ApplicationName, 1));
        await using var lease = await pool.RentAsync(Stop);

        provider.ForceFlush();

        Assert.Equal(1, Point("db.client.connection.count", "used")!.Value.GetSumLong());
        Assert.Equal(0, Point("db.client.connection.count", "idle")!.Value.GetSumLong());
        Assert.Equal(1, Point("db.client.connection.max")!.Value.GetSumLong());
        Assert.Equal(0, Point("db.client.connection.timeouts")!.Value.GetSumLong());
        var opens = Point("db.client.connection.create_time")!.Value;
        Assert.Equal(1, opens.GetHistogramCount());
        var bounds = new List<double>();
        foreach (var bucket in opens.GetHistogramBuckets())
            bounds.Add(bucket.ExplicitBound);
        Assert.Equal([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, double.PositiveInfinity], bounds);

        MetricPoint? Point(string name, string? state = null)
        {
            foreach (var point in Assert.Single(exported, metric => metric.Name == name).GetMetricPoints())
            {
                var tags = new Dictionary<string, object?>();
                foreach (var tag in point.Tags)
                    tags.Add(tag.Key, tag.Value);
                if (tags["db.client.connection.pool.name"] as string == ApplicationName && (state is null || tags["db.client.connection.state"] as string == state))
                    return point;
            }
            return null;
        }
    }

    [Fact]
    public async Task Spans_AreExportedUnderTheRenters()
    {
        List<Activity> exported = [];
        using var source = new ActivitySource(ApplicationName);
        using var provider = Sdk.CreateTracerProviderBuilder().AddSource(PgPoolTelemetry.ActivitySourceName, ApplicationName).AddInMemoryExporter(exported).Build();
        var pool = Pool(options => options.Name = ApplicationName);

        using (var work = source.StartActivity("work"))
        {
            await using var lease = await pool.RentAsync(new() { Label = "first" }, Stop);
        }
        provider.ForceFlush();

        var mine = exported.ToArray().Where(span => span.GetTagItem("db.client.connection.pool.name") as string == ApplicationName).ToArray();
        var root = Assert.Single(exported.ToArray(), span => span.DisplayName == "work");
        Assert.Equal(root.SpanId, Assert.Single(mine, static span => span.DisplayName == "pgpool rent").ParentSpanId);
        Assert.Equal(default, Assert.Single(mine, static span => span.DisplayName == "pgpool open").ParentSpanId);
    }
}
