namespace PgPool.Migration.Updating;

/// <summary>How many keys a range has: as many as are done in about half a second, so that rows are not locked for long. Thread-safe.</summary>
internal sealed class RangeSize(TimeProvider clock)
{
    private const int Least = 100;
    private const int Most = 100_000;
    private static readonly TimeSpan Wanted = TimeSpan.FromMilliseconds(500);

    private int _keys = 1000;

    public int Keys => Volatile.Read(ref _keys);

    /// <summary>A range of this many keys was done: adapts by a factor of two at most.</summary>
    public void Took(int keys, long began)
    {
        var factor = Math.Clamp(Wanted / clock.GetElapsedTime(began), 0.5, 2);
        Volatile.Write(ref _keys, Math.Clamp((int)(keys * factor), Least, Most));
    }
}
