namespace PgPool.Migration.Running;

/// <summary>Wakes workers that found nothing to do when that may have changed.</summary>
internal sealed class WorkSignal(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _next = New();

    /// <summary>What to wait for; take it before looking for work, or a change in between is missed.</summary>
    public Task Next
    {
        get
        {
            lock (_lock)
                return _next.Task;
        }
    }

    public void Set()
    {
        TaskCompletionSource now;
        lock (_lock)
            (now, _next) = (_next, New());
        now.SetResult();
    }

    /// <summary>Waits for a change, or this long: other processes give no signal.</summary>
    public async Task WaitAsync(Task change, TimeSpan atMost, CancellationToken cancellationToken)
    {
        try
        {
            await change.WaitAsync(atMost, clock, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Time to look again.
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
