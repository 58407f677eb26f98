namespace LiveView;

/// <summary>What the page is sent, twice a second.</summary>
internal sealed record PageView(DateTimeOffset At, IReadOnlyList<PoolView> Pools, CopyView Copy);
