namespace PgPool.Engine;

/// <summary>Where the engine's own work runs. Never in the flow of whoever set it off: no ambient transaction, no AsyncLocal of theirs.</summary>
internal static class Background
{
    /// <summary>
    /// Runs work on the thread pool, or, when a blocked thread waits for it, synchronously on a thread of its own: with every thread of the thread
    /// pool blocked in a rent, nothing else would make progress.
    /// </summary>
    /// <param name="forBlocked">Whether a blocked thread waits.</param>
    /// <param name="work">Called with <paramref name="state"/>, and with whether to do its I/O asynchronously. Must not throw.</param>
    /// <param name="state">What it works on.</param>
    public static void Run<TState>(bool forBlocked, Action<TState, bool> work, TState state)
    {
        if (!forBlocked || !TryStartThread(() => work(state, false)))
            ThreadPool.UnsafeQueueUserWorkItem(static item => item.work(item.state, true), (work, state), preferLocal: false);
    }

    private static bool TryStartThread(ThreadStart work)
    {
        try
        {
            new Thread(work) { IsBackground = true, Name = "PgPool" }.UnsafeStart();
            return true;
        }
        catch (Exception exception) when (exception is OutOfMemoryException or ThreadStartException)
        {
            // The system has no thread left. The thread pool may have one, in time.
            return false;
        }
    }

    /// <summary>Keeps what starts within it out of the caller's flow.</summary>
    public static SuppressedFlow WithoutFlow() => new(suppress: !ExecutionContext.IsFlowSuppressed());

    internal readonly ref struct SuppressedFlow
    {
        private readonly AsyncFlowControl _control;
        private readonly bool _suppressed;

        public SuppressedFlow(bool suppress)
        {
            _suppressed = suppress;
            if (suppress)
                _control = ExecutionContext.SuppressFlow();
        }

        public void Dispose()
        {
            if (_suppressed)
                _control.Undo();
        }
    }
}
