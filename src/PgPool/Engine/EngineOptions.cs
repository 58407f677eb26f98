namespace PgPool.Engine;

/// <summary>The part of the pool's options that the engine acts on.</summary>
internal sealed record EngineOptions
{
    public required string PoolName { get; init; }
    public int MinSize { get; init; }
    public int MaxSize { get; init; } = 10;
    public int MaxWaiting { get; init; } = int.MaxValue;
    public int MaxConcurrentOpens { get; init; } = 4;
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromMilliseconds(100);
    public TimeSpan MaxReconnectDelay { get; init; } = TimeSpan.FromSeconds(2);
    public TimeSpan IdleTimeout { get; init; } = Timeout.InfiniteTimeSpan;
    public TimeSpan MaxLifetime { get; init; } = Timeout.InfiniteTimeSpan;
    public double LifetimeJitter { get; init; }
    public IdleOrder IdleOrder { get; init; }
    public TimeSpan ValidateAfterIdle { get; init; } = Timeout.InfiniteTimeSpan;
    public TimeSpan KeepAliveInterval { get; init; } = Timeout.InfiniteTimeSpan;
    public TimeSpan LeaseWarningAfter { get; init; } = Timeout.InfiniteTimeSpan;
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    public static EngineOptions From(ConnectionPoolOptions options, string poolName) => new()
    {
        PoolName = poolName,
        MinSize = options.MinSize,
        MaxSize = options.MaxSize,
        MaxWaiting = options.MaxWaiting,
        MaxConcurrentOpens = options.MaxConcurrentOpens,
        ReconnectDelay = options.ReconnectDelay,
        MaxReconnectDelay = options.MaxReconnectDelay,
        IdleTimeout = options.IdleTimeout,
        MaxLifetime = options.MaxLifetime,
        LifetimeJitter = options.LifetimeJitter,
        IdleOrder = options.IdleOrder,
        ValidateAfterIdle = options.ValidateAfterIdle,
        KeepAliveInterval = options.KeepAliveInterval,
        LeaseWarningAfter = options.LeaseWarningAfter,
        TimeProvider = options.TimeProvider,
    };
}
