namespace PgPool.Engine;

/// <summary>What happened since the pool was made. Guarded by the engine's lock.</summary>
internal sealed class PoolTotals
{
    private readonly long[] _closed = new long[Enum.GetValues<CloseReason>().Length];

    public long Rented;
    public long Queued;
    public long TimedOut;
    public long Rejected;
    public long Cancelled;
    public long WaitTicks;
    public long UseTicks;
    public long Opened;
    public long OpenFailed;
    public long DirtyReturns;
    public long Abandoned;

    public long Closed { get; private set; }

    public void Close(CloseReason reason)
    {
        Closed++;
        _closed[(int)reason]++;
    }

    public IReadOnlyDictionary<CloseReason, long> ClosedByReason()
        => Enum.GetValues<CloseReason>().ToDictionary(static reason => reason, reason => _closed[(int)reason]);
}
