namespace PgPool.Sessions;

/// <summary>Bounds what the pool itself asks of a session.</summary>
/// <remarks>
/// Npgsql's own time-out first asks the server to cancel and then waits for it to obey. The pool gives up at its deadline instead: the session is
/// then found busy by the close, which severs it.
/// </remarks>
internal static class SessionDeadline
{
    /// <summary>The result of the operation, or <see cref="TimeoutException"/>. A synchronous operation is complete already.</summary>
    public static ValueTask<TResult> RunAsync<TResult>(ValueTask<TResult> operation, TimeSpan timeout, TimeProvider time)
        => operation.IsCompleted ? operation : WaitAsync(operation.AsTask(), timeout, time);

    private static async ValueTask<TResult> WaitAsync<TResult>(Task<TResult> operation, TimeSpan timeout, TimeProvider time)
    {
        try
        {
            return await operation.WaitAsync(timeout, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Abandon(operation);
            throw;
        }
    }

    /// <summary>Given up, it may fail later, with nobody to hear it.</summary>
    public static void Abandon(Task operation) => _ = operation.ContinueWith(static late => late.Exception, CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Npgsql's time-out for a command, in seconds: none where the deadline is kept here, the next whole second where the thread blocks.</summary>
    public static int CommandTimeout(TimeSpan timeout, bool async) => async ? 0 : (int)Math.Min(Math.Ceiling(timeout.TotalSeconds), int.MaxValue);
}
