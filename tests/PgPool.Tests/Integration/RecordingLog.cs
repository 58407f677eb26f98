using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace PgPool.Tests.Integration;

/// <summary>Keeps what the pool, and only the pool, logs.</summary>
public sealed class RecordingLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<Entry> _entries = [];

    public IReadOnlyCollection<Entry> Entries => _entries;

    public IEnumerable<string> Warnings => _entries.Where(static entry => entry.Level == LogLevel.Warning).Select(static entry => entry.Message);

    public ILogger CreateLogger(string categoryName)
        => categoryName == "PgPool" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _entries.Enqueue(new Entry(logLevel, eventId.Id, formatter(state, exception)));

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    public sealed record Entry(LogLevel Level, int EventId, string Message);
}
