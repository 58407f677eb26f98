using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace PgPool.Tests.Diagnostics;

/// <summary>What the instruments of one meter factory tell of one pool.</summary>
internal sealed class Measurements : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<(Instrument Instrument, double Value, Dictionary<string, object?> Tags)> _seen = [];

    /// <param name="pool">The pool's name.</param>
    /// <param name="factory">Whose meter; null: the one of the process.</param>
    public Measurements(string pool, IMeterFactory? factory = null)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == PgPoolTelemetry.MeterName && (instrument.Meter.Scope as IMeterFactory) == factory)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.Start();

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var named = new Dictionary<string, object?>(tags.ToArray());
            if (named.GetValueOrDefault("db.client.connection.pool.name") as string == pool)
                _seen.Enqueue((instrument, value, named));
        }
    }

    /// <summary>All that was recorded under a name.</summary>
    public IReadOnlyList<double> Recorded(string name) => [.. _seen.Where(seen => seen.Instrument.Name == name).Select(static seen => seen.Value)];

    /// <summary>Reads the gauges and counters: each with its attributes, without the pool's name, as "name key=value".</summary>
    public IReadOnlyDictionary<string, double> Observe()
    {
        _seen.Clear();
        _listener.RecordObservableInstruments();
        return _seen.ToDictionary(
            static seen => string.Join(' ', [seen.Instrument.Name, .. seen.Tags.Where(static tag => !tag.Key.EndsWith("pool.name", StringComparison.Ordinal)).Select(static tag => $"{tag.Key}={tag.Value}")]),
            static seen => seen.Value);
    }

    public void Dispose() => _listener.Dispose();
}
