using System.Diagnostics.Metrics;

namespace PgPool.Diagnostics;

/// <summary>What one pool reports, from its making until its last connection is gone.</summary>
internal sealed class PoolMetrics : IDisposable
{
    private static readonly CloseReason[] Reasons = Enum.GetValues<CloseReason>();

    private readonly PoolInstruments _instruments;
    private readonly Func<PoolStatistics> _read;
    private readonly KeyValuePair<string, object?> _name;
    private readonly KeyValuePair<string, object?>[] _pool;
    private readonly KeyValuePair<string, object?>[] _idle;
    private readonly KeyValuePair<string, object?>[] _used;
    private readonly KeyValuePair<string, object?>[][] _closed;

    /// <param name="factory">Makes the meter; null: the one of the process.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="read">Its statistics.</param>
    public PoolMetrics(IMeterFactory? factory, string pool, Func<PoolStatistics> read)
    {
        _read = read;
        _name = new(PgPoolTelemetry.PoolName, pool);
        _pool = [_name];
        _idle = [_name, new("db.client.connection.state", "idle")];
        _used = [_name, new("db.client.connection.state", "used")];
        _closed = Array.ConvertAll(Reasons, reason => new[] { _name, new("db.client.connection.pgpool.close_reason", $"{reason}") });
        _instruments = PoolInstruments.Of(factory);
    }

    /// <summary>Whether somebody wants to know how long leases are out.</summary>
    public bool TimesUse => _instruments.UseTime.Enabled;

    /// <summary>From here on its gauges are read.</summary>
    public void Start() => _instruments.Add(this);

    public void Opened(TimeSpan took) => Record(_instruments.CreateTime, took);

    public void Waited(TimeSpan waited) => Record(_instruments.WaitTime, waited);

    public void Used(TimeSpan used) => Record(_instruments.UseTime, used);

    public void Reset(TimeSpan took) => Record(_instruments.ResetTime, took);

    public IEnumerable<Measurement<long>> Value(Func<PoolStatistics, long> value) => [new(value(_read()), _pool)];

    public IEnumerable<Measurement<long>> Count()
    {
        var now = _read();
        return [new(now.Idle, _idle), new(now.Total - now.Idle, _used)];
    }

    public IEnumerable<Measurement<long>> Closed()
    {
        var closed = _read().ClosedByReason;
        return Reasons.Zip(_closed, (reason, tags) => new Measurement<long>(closed[reason], tags));
    }

    public void Dispose() => _instruments.Remove(this);

    private void Record(Histogram<double> histogram, TimeSpan span)
    {
        if (!histogram.Enabled)
            return;
        try
        {
            histogram.Record(span.TotalSeconds, _name);
        }
        // A listener's failure stays its own: the renter has its connection by now, or has returned it.
        catch (Exception)
        {
        }
    }
}
