namespace PgPool.Engine;

/// <summary>
/// When to try to open again after failures: the first time at once, then after a delay that doubles, with jitter. Guarded by the engine's lock.
/// </summary>
/// <remarks>
/// One prober at a time, but one that hangs is joined by another after the longest delay: a server that is back answers a new attempt at once, while
/// an old one may still hang in the network that lost its packets.
/// </remarks>
internal sealed class Backoff(Clock clock, TimeSpan firstDelay, TimeSpan maxDelay)
{
    private readonly long _first = clock.Ticks(firstDelay);
    private readonly long _max = clock.Ticks(maxDelay);

    private int _failures;
    private long _failedAt = long.MinValue;
    private long _succeededFrom = long.MinValue;

    /// <summary>Whether the last attempt failed.</summary>
    public bool IsActive => _failures > 0;

    /// <summary>The moment of the next attempt.</summary>
    public long RetryAt { get; private set; }

    public void Succeeded(long startedAt)
    {
        _failures = 0;
        _succeededFrom = Math.Max(_succeededFrom, startedAt);
    }

    /// <summary>An attempt begins, to see whether the server is back.</summary>
    public void ProbeBegan(long now) => RetryAt = now + _max;

    /// <summary>Attempts that ran side by side count as one, and one older than an attempt that has succeeded tells nothing new.</summary>
    public void Failed(long startedAt, long now, bool slowly)
    {
        if ((startedAt < _failedAt && IsActive) || startedAt < _succeededFrom)
            return;
        _failedAt = now;
        _failures++;
        RetryAt = now + (slowly ? Jittered(_max) : Delay());
    }

    /// <summary>The next attempt may be made now: somebody asks who would rather have the error than wait.</summary>
    public void RetryNow(long now) => RetryAt = Math.Min(RetryAt, now);

    private long Delay()
    {
        if (_failures == 1)
            return 0;
        var doublings = Math.Min(_failures - 2, 40);
        return Jittered((long)Int128.Min((Int128)_first << doublings, _max));
    }

    // Down to the half: never beyond the maximum, which is a promise.
    private static long Jittered(long delay) => (long)(delay * (0.5 + Random.Shared.NextDouble() / 2));
}
