namespace PgPool.Engine;

/// <summary>An asynchronous flow that rents, with the number of leases of the pool that it holds now.</summary>
internal sealed class RentFlow
{
    private int _held;

    public bool HoldsLease => Volatile.Read(ref _held) > 0;

    public void Took() => Interlocked.Increment(ref _held);

    public void Returned() => Interlocked.Decrement(ref _held);
}
