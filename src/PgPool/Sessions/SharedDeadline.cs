namespace PgPool.Sessions;

/// <summary>
/// Bounds operations that all have the same time, with one timer for all that begin within an eighth of it: a timer for each costs some 500 bytes, and
/// resets are many. So the time may come out longer by that eighth, never shorter.
/// </summary>
internal sealed class SharedDeadline(TimeSpan timeout, TimeProvider time)
{
    private const int Share = 8;

    private readonly Lock _lock = new();
    private CancellationToken _current;
    private long _takesUntil = long.MinValue;

    /// <summary>The result of the operation, or <see cref="TimeoutException"/>. A synchronous operation is complete already.</summary>
    public ValueTask<TResult> RunAsync<TResult>(ValueTask<TResult> operation)
        => operation.IsCompleted ? operation : WaitAsync(operation.AsTask());

    private async ValueTask<TResult> WaitAsync<TResult>(Task<TResult> operation)
    {
        var deadline = Next();
        try
        {
            return await operation.WaitAsync(deadline).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            SessionDeadline.Abandon(operation);
            throw new TimeoutException();
        }
    }

    /// <summary>Cancelled when the time is over.</summary>
    private CancellationToken Next()
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (now > _takesUntil)
            {
                // The one before lives on in its timer: what it bounds is still under way.
                _current = new CancellationTokenSource(timeout + timeout / Share, time).Token;
                _takesUntil = now + (long)(timeout.TotalSeconds / Share * time.TimestampFrequency);
            }
            return _current;
        }
    }
}
