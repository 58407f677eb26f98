namespace PgPool.Engine;

/// <summary>
/// Decides whether opening another connection would serve a waiter sooner than the connections that exist. Guarded by the engine's lock.
/// </summary>
/// <remarks>
/// A queue that has just begun may open at once. After each open the queue has to show that it is still worth another: that at the rate at which
/// connections come back it would not be served before a new one could be there; or that it has lasted as long as an open takes. So a burst of
/// short rents ends with few connections, while long ones, or a lasting load, get as many as the pool may have.
/// </remarks>
internal sealed class Growth(Clock clock)
{
    /// <summary>The share of an open's duration for which returns are watched before their rate is believed.</summary>
    private const int EvidenceShare = 8;

    private readonly long _shortest = clock.Ticks(TimeSpan.FromMilliseconds(1));

    private long _openDuration = clock.Ticks(TimeSpan.FromMilliseconds(10));
    private long _openedAt;
    private long _servedSince;
    private long _progressAt;
    private bool _openedForThisQueue;

    /// <summary>When a queue that nobody was served from is taken to be stuck.</summary>
    public long StallsAt => _progressAt + _openDuration;

    /// <summary>A waiter has joined an empty queue.</summary>
    public void QueueBegan(long now)
    {
        _progressAt = now;
        _openedForThisQueue = false;
    }

    /// <summary>A connection that came back goes to a waiter.</summary>
    public void Served(long now)
    {
        _progressAt = now;
        _servedSince++;
    }

    /// <summary>A physical connection is there.</summary>
    public void Opened(long now, long duration)
    {
        _openDuration = Math.Max(duration, _shortest);
        _openedAt = now;
        _servedSince = 0;
        _openedForThisQueue = true;
    }

    /// <summary>Whether to open for a queue that waits for this many connections.</summary>
    /// <param name="demand">Connections waited for.</param>
    /// <param name="now">The time.</param>
    /// <param name="lookAgainAt">When not: set to when to ask again.</param>
    public bool Allows(int demand, long now, ref long lookAgainAt)
    {
        var elapsed = now - _openedAt;
        if (!_openedForThisQueue || elapsed >= _openDuration)
            return true;
        // demand / (served / elapsed) is the time in which returning connections serve the queue.
        var evidence = Math.Max(1, _openDuration / EvidenceShare);
        if (elapsed >= evidence && (Int128)demand * elapsed > (Int128)_openDuration * _servedSince)
            return true;
        lookAgainAt = now + evidence;
        return false;
    }
}
