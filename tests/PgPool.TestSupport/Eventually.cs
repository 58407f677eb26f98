namespace PgPool.TestSupport;

/// <summary>Waits for what nobody announces, such as a row in pg_stat_activity: the one place in the tests that may sleep.</summary>
public static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>Long enough for any machine: passing it is a hang.</summary>
    public static TimeSpan Deadline { get; } = TimeSpan.FromSeconds(30);

    /// <exception cref="TimeoutException">It did not come true within the deadline, <see cref="Deadline"/> by default.</exception>
    public static Task BecomesAsync(Func<bool> condition, string what, TimeSpan? deadline = null) =>
        BecomesAsync(() => Task.FromResult(condition()), what, deadline);

    /// <inheritdoc cref="BecomesAsync(Func{bool}, string, TimeSpan?)"/>
    public static Task BecomesAsync(Func<Task<bool>> condition, string what, TimeSpan? deadline = null) =>
        PollAsync(condition, () => what, deadline);

    /// <summary>Reads a state until it is as wanted, and returns it.</summary>
    /// <param name="read">Reads the state.</param>
    /// <param name="wanted">Whether it is as wanted.</param>
    /// <param name="describe">What is waited for, in terms of the last state, for the exception.</param>
    /// <param name="deadline"><see cref="Deadline"/> by default.</param>
    /// <exception cref="TimeoutException">It did not become so within the deadline.</exception>
    public static Task<T> BecomesAsync<T>(Func<T> read, Func<T, bool> wanted, Func<T, string> describe, TimeSpan? deadline = null) =>
        BecomesAsync(() => Task.FromResult(read()), wanted, describe, deadline);

    /// <inheritdoc cref="BecomesAsync{T}(Func{T}, Func{T, bool}, Func{T, string}, TimeSpan?)"/>
    public static async Task<T> BecomesAsync<T>(
        Func<Task<T>> read, Func<T, bool> wanted, Func<T, string> describe, TimeSpan? deadline = null)
    {
        var looked = false;
        T state = default!;
        await PollAsync(LookAsync, () => looked ? describe(state) : "the first look did not end", deadline);
        return state;

        async Task<bool> LookAsync()
        {
            state = await read();
            looked = true;
            return wanted(state);
        }
    }

    private static async Task PollAsync(Func<Task<bool>> condition, Func<string> describe, TimeSpan? deadline)
    {
        var limit = deadline ?? Deadline;
        using var expiry = new CancellationTokenSource(limit);
        try
        {
            // A look that hangs counts as one that does not come true.
            while (!await condition().WaitAsync(expiry.Token))
                await Task.Delay(Interval, expiry.Token);
        }
        catch (OperationCanceledException) when (expiry.IsCancellationRequested)
        {
            throw new TimeoutException($"Not within {limit.TotalSeconds:0.###} s: {describe()}");
        }
    }
}
