using PgPool;

namespace LiveView;

/// <summary>One moment of a pool, as the page shows it.</summary>
internal sealed record PoolView
{
    public required string Name { get; init; }
    public required bool Suspended { get; init; }
    public required int MinSize { get; init; }
    public required int MaxSize { get; init; }
    public required int Idle { get; init; }
    public required int Leased { get; init; }
    public required int Resetting { get; init; }
    public required int Opening { get; init; }
    public required int Waiting { get; init; }
    public required double LongestWaitSeconds { get; init; }
    public required IReadOnlyDictionary<string, long> Counters { get; init; }
    public required IReadOnlyList<LeaseView> Leases { get; init; }
    public required string? LastOpenError { get; init; }

    public static PoolView Of(ConnectionPool pool)
    {
        var now = pool.GetStatistics();
        return new PoolView
        {
            Name = now.PoolName,
            Suspended = pool.IsSuspended,
            MinSize = now.MinSize,
            MaxSize = now.MaxSize,
            Idle = now.Idle,
            Leased = now.Leased,
            Resetting = now.Resetting,
            Opening = now.Opening,
            Waiting = now.Waiting,
            LongestWaitSeconds = now.LongestWait.TotalSeconds,
            Counters = new Dictionary<string, long>
            {
                ["rented"] = now.Rented,
                ["had to wait"] = now.Queued,
                ["timed out"] = now.TimedOut,
                ["cancelled"] = now.Cancelled,
                ["opened"] = now.Opened,
                ["open failed"] = now.OpenFailed,
                ["closed"] = now.Closed,
                ["dirty returns"] = now.DirtyReturns,
                ["abandoned"] = now.Abandoned,
            },
            Leases = [.. pool.GetLeases().Select(static lease => new LeaseView(lease.Id, lease.Label, lease.CallSite, lease.HeldFor.TotalSeconds, lease.BackendProcessId))],
            LastOpenError = now.LastOpenError?.Message,
        };
    }
}
