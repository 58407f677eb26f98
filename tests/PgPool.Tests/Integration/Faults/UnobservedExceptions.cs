using System.Collections.Concurrent;

namespace PgPool.Tests.Integration.Faults;

/// <summary>Exceptions of the pool's own tasks that nobody looked at, those of other tests' pools included.</summary>
internal sealed class UnobservedExceptions : IDisposable
{
    private readonly ConcurrentQueue<string> _seen = [];

    public UnobservedExceptions() => TaskScheduler.UnobservedTaskException += Note;

    /// <summary>All so far. Tasks tell of it when they are collected.</summary>
    public IReadOnlyCollection<string> Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return _seen;
    }

    public void Dispose() => TaskScheduler.UnobservedTaskException -= Note;

    // Tests leave tasks of their own unobserved now and then: only what came through the pool's code counts.
    private void Note(object? sender, UnobservedTaskExceptionEventArgs args)
    {
        var text = args.Exception.ToString();
        if (text.Contains("at PgPool.Sessions.", StringComparison.Ordinal) || text.Contains("at PgPool.Engine.", StringComparison.Ordinal))
            _seen.Enqueue(text);
    }
}
