using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace PgPool.Diagnostics;

/// <summary>The instruments of one meter, with the pools that report to it.</summary>
/// <remarks>
/// Names, units and attributes are those of OpenTelemetry's semantic conventions for connection pools, version 1.44
/// (https://opentelemetry.io/docs/specs/semconv/database/database-metrics/); what those do not have stands below db.client.connection.pgpool. What the
/// statistics hold is read off them when somebody asks; only durations are recorded, and only while somebody listens.
/// </remarks>
internal sealed class PoolInstruments
{
    private const string Prefix = "db.client.connection.";
    private const string Own = Prefix + "pgpool.";

    // As Npgsql's: from a connection at hand to a server far away.
    private static readonly InstrumentAdvice<double> Seconds = new() { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] };

    private static readonly Lazy<Meter> MeterOfProcess = new(static () => new Meter(Options));

    // A factory gives one meter to all who ask for the same: instruments made twice would be reported twice.
    private static readonly ConditionalWeakTable<Meter, PoolInstruments> ByMeter = [];

    private readonly Meter _meter;
    private readonly Lock _lock = new();
    private volatile PoolMetrics[] _pools = [];

    private PoolInstruments(Meter meter)
    {
        _meter = meter;
        CreateTime = Duration(Prefix + "create_time", "The time it took to open a connection.");
        WaitTime = Duration(Prefix + "wait_time", "The time it took to get an open connection from the pool.");
        UseTime = Duration(Prefix + "use_time", "The time between renting a connection and returning it.");
        ResetTime = Duration(Own + "reset_time", "The time it took to reset the session of a returned connection.");

        Gauge(Prefix + "count", "{connection}", "Connections: in use, those being reset included, or idle.", static pool => pool.Count());
        Gauge(Prefix + "idle.max", "{connection}", "Idle connections, at most.", static pool => pool.Value(static now => now.MaxSize));
        Gauge(Prefix + "idle.min", "{connection}", "Connections that are kept, idle or not.", static pool => pool.Value(static now => now.MinSize));
        Gauge(Prefix + "max", "{connection}", "Connections, at most.", static pool => pool.Value(static now => now.MaxSize));
        Gauge(Prefix + "pending_requests", "{request}", "Rents that wait.", static pool => pool.Value(static now => now.Waiting));

        Total(Prefix + "timeouts", "{timeout}", "Rents that got no connection in time.", static pool => pool.Value(static now => now.TimedOut));
        Total(Own + "abandoned", "{lease}", "Leases that were dropped without being returned.", static pool => pool.Value(static now => now.Abandoned));
        Total(Own + "dirty_returns", "{lease}", "Leases returned with work under way.", static pool => pool.Value(static now => now.DirtyReturns));
        Total(Own + "open_failures", "{attempt}", "Attempts to open a connection that failed.", static pool => pool.Value(static now => now.OpenFailed));
        Total(Own + "closed", "{connection}", "Connections that were closed, by reason.", static pool => pool.Closed());
    }

    public Histogram<double> CreateTime { get; }

    public Histogram<double> WaitTime { get; }

    public Histogram<double> UseTime { get; }

    public Histogram<double> ResetTime { get; }

    private static MeterOptions Options => new(PgPoolTelemetry.MeterName) { Version = PgPoolTelemetry.Version };

    /// <summary>Those on a meter of the factory, or on the one of the process.</summary>
    public static PoolInstruments Of(IMeterFactory? factory)
        => ByMeter.GetValue(factory?.Create(Options) ?? MeterOfProcess.Value, static meter => new PoolInstruments(meter));

    public void Add(PoolMetrics pool)
    {
        lock (_lock)
            _pools = [.. _pools, pool];
    }

    public void Remove(PoolMetrics pool)
    {
        lock (_lock)
            _pools = Array.FindAll(_pools, other => other != pool);
    }

    private Histogram<double> Duration(string name, string description) => _meter.CreateHistogram(name, "s", description, tags: null, Seconds);

    private void Gauge(string name, string unit, string description, Func<PoolMetrics, IEnumerable<Measurement<long>>> read)
        => _meter.CreateObservableUpDownCounter(name, () => _pools.SelectMany(read), unit, description);

    private void Total(string name, string unit, string description, Func<PoolMetrics, IEnumerable<Measurement<long>>> read)
        => _meter.CreateObservableCounter(name, () => _pools.SelectMany(read), unit, description);
}
