namespace PgPool.Engine;

/// <summary>Looks after the connections that nobody uses, and the leases that nobody returns, every now and then.</summary>
internal sealed class Maintenance<T> : IDisposable where T : class
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50);
    // Leases that were dropped are found by looking: with nobody to tell, a waiter should not wait long for one.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private readonly PoolEngine<T> _engine;
    private readonly Clock _clock;
    private readonly TimeSpan _interval;
    private ITimer? _timer;

    public Maintenance(PoolEngine<T> engine, EngineOptions options, Clock clock)
    {
        _engine = engine;
        _clock = clock;
        // A quarter: what falls due is seen at most that much later than the option says.
        TimeSpan[] spans = [options.IdleTimeout, options.MaxLifetime, options.KeepAliveInterval, options.LeaseWarningAfter];
        var shortest = spans.Where(static span => span != Timeout.InfiniteTimeSpan).DefaultIfEmpty(Longest).Min() / 4;
        _interval = shortest < Shortest ? Shortest : shortest > Longest ? Longest : shortest;
    }

    public void Start()
    {
        using (Background.WithoutFlow())
            _timer = _clock.Provider.CreateTimer(static engine => ((PoolEngine<T>)engine!).Maintain(), _engine, _interval, _interval);
    }

    public void Dispose() => _timer?.Dispose();
}
