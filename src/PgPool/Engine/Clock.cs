namespace PgPool.Engine;

/// <summary>Monotonic time in the ticks of a <see cref="TimeProvider"/>; deadlines are absolute.</summary>
internal readonly struct Clock(TimeProvider provider)
{
    /// <summary>The deadline of what has none.</summary>
    public const long Never = long.MaxValue;

    private readonly long _frequency = provider.TimestampFrequency;

    public TimeProvider Provider => provider;

    /// <summary>True when a thread may block on the operating system's own time-outs: they run at this clock's pace.</summary>
    public bool IsSystem => ReferenceEquals(provider, TimeProvider.System);

    public long Now => provider.GetTimestamp();

    public long Ticks(TimeSpan span) => span == Timeout.InfiniteTimeSpan ? Never : (long)((Int128)span.Ticks * _frequency / TimeSpan.TicksPerSecond);

    public TimeSpan Span(long ticks) => new((long)((Int128)ticks * TimeSpan.TicksPerSecond / _frequency));

    /// <summary><paramref name="ticks"/> after <paramref name="now"/>, or <see cref="Never"/>.</summary>
    public static long After(long now, long ticks) => ticks >= Never - now ? Never : now + ticks;

    /// <summary>What is left until a deadline, rounded up to the milliseconds that timers can wait; infinite for <see cref="Never"/>.</summary>
    public TimeSpan Until(long deadline, long now)
    {
        if (deadline == Never)
            return Timeout.InfiniteTimeSpan;
        return deadline <= now ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling(Span(deadline - now).TotalMilliseconds));
    }
}
