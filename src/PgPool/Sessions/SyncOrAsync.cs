namespace PgPool.Sessions;

/// <summary>For code that has one path for both modes.</summary>
internal static class SyncOrAsync
{
    /// <summary>
    /// What only comes asynchronously, such as a user's hook, awaited in the mode asked for: in the synchronous one this thread blocks until it is
    /// done, and the result is complete.
    /// </summary>
    public static ValueTask In(this ValueTask task, bool async)
    {
        if (async || task.IsCompleted)
            return task;
        task.AsTask().GetAwaiter().GetResult();
        return default;
    }
}
