namespace PgPool.Migration.Running;

/// <summary>How often each partition, and whatever else is tried again, failed in this process, and when it may be tried again. Thread-safe.</summary>
internal sealed class RetryLedger(int maxAttempts, TimeProvider clock)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, Entry> _entries = [];
    private int _retries;
    private int _lastKey;

    /// <summary>Attempts that failed and are followed by another.</summary>
    public int Retries => Volatile.Read(ref _retries);

    /// <summary>A key for what is no partition: below all their numbers.</summary>
    public int NewKey() => Interlocked.Decrement(ref _lastKey);

    /// <summary>Notes a failed attempt.</summary>
    /// <param name="key">The partition's number, or what <see cref="NewKey"/> gave.</param>
    /// <param name="kind">Why it failed.</param>
    /// <param name="delay">How long to leave it.</param>
    /// <returns>False where that was the last attempt.</returns>
    public bool TryAgain(int key, FailureKind kind, out TimeSpan delay)
    {
        lock (_lock)
        {
            var entry = _entries.GetValueOrDefault(key, new Entry(0, 0, FirstDelay, 0));
            // Decorrelated jitter: workers that failed together come back apart.
            delay = FirstDelay + (entry.Delay * 3 - FirstDelay) * Random.Shared.NextDouble();
            delay = delay < LongestDelay ? delay : LongestDelay;
            var due = clock.GetTimestamp() + (long)(delay.TotalSeconds * clock.TimestampFrequency);
            _entries[key] = new Entry(entry.Failed + 1, entry.TimedOut + (kind == FailureKind.TimedOut ? 1 : 0), delay, due);
            if (entry.Failed + 1 >= maxAttempts)
                return false;
            _retries++;
            return true;
        }
    }

    /// <summary>Partitions that are to be left alone now, and until when at most.</summary>
    public int[] Waiting(out TimeSpan? untilNext)
    {
        lock (_lock)
        {
            untilNext = null;
            var now = clock.GetTimestamp();
            List<int> waiting = [];
            foreach (var (number, entry) in _entries)
            {
                if (number < 0 || entry.Due <= now)
                    continue;
                waiting.Add(number);
                var left = clock.GetElapsedTime(now, entry.Due);
                untilNext = untilNext < left ? untilNext : left;
            }

            return [.. waiting];
        }
    }

    /// <summary>Whether a partition takes too long time and again.</summary>
    public bool ShouldSplit(int number)
    {
        lock (_lock)
            return _entries.TryGetValue(number, out var entry) && entry.TimedOut >= 2;
    }

    /// <summary>It went well, or is another now: what failed before does not count any more.</summary>
    public void Forget(int key)
    {
        lock (_lock)
            _entries.Remove(key);
    }

    private readonly record struct Entry(int Failed, int TimedOut, TimeSpan Delay, long Due);
}
