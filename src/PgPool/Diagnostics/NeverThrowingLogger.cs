using Microsoft.Extensions.Logging;

namespace PgPool.Diagnostics;

/// <summary>
/// The user's logger, whose failures stay its own: the pool also logs on its timers, where an exception would end the process, and while leases are
/// returned.
/// </summary>
internal sealed class NeverThrowingLogger(ILogger target) : ILogger
{
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            target.Log(logLevel, eventId, state, exception, formatter);
        }
        // There is nobody left to tell.
        catch (Exception)
        {
        }
    }

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return target.IsEnabled(logLevel);
        }
        catch (Exception)
        {
            return false;
        }
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => target.BeginScope(state);
}
