namespace PgPool.Migration.Running;

/// <summary>Holds all workers together to a number of bytes per second. Thread-safe.</summary>
internal sealed class ByteThrottle(long? bytesPerSecond, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly long _start = clock.GetTimestamp();

    // When, since the start, all that was sent so far is paid for.
    private TimeSpan _paid;

    /// <summary>Completes when the rate allows that these bytes were sent.</summary>
    public ValueTask MovedAsync(int bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond is not { } rate)
            return default;

        TimeSpan wait;
        lock (_lock)
        {
            var now = clock.GetElapsedTime(_start);
            // Time in which nothing was sent is not saved up.
            _paid = (_paid > now ? _paid : now) + TimeSpan.FromSeconds((double)bytes / rate);
            wait = _paid - now;
        }

        return wait < TimeSpan.FromMilliseconds(1) ? default : new ValueTask(Task.Delay(wait, clock, cancellationToken));
    }
}
