using System.Data;

namespace PgPool.Migration.Running;

/// <summary>The run's leases on the target: each with one worker at a time; one that breaks is replaced when it is needed next.</summary>
internal sealed class TargetLeases(ConnectionPool pool, string label, IReadOnlyList<ConnectionLease> leases) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Stack<ConnectionLease> _free = new(leases);

    /// <summary>A lease whose connection was well when it was last seen.</summary>
    /// <exception cref="PoolException">There is no free one, and the pool has none.</exception>
    public ValueTask<ConnectionLease> TakeAsync(CancellationToken cancellationToken)
    {
        if (TryTake() is { } free)
            return new(free);

        // First in the queue: others of this run may be waiting for what this worker has not done.
        return pool.RentAsync(new RentOptions { Label = label, Priority = RentPriority.High }, cancellationToken);
    }

    /// <summary>Does something on a lease, and gives it back.</summary>
    public async Task<T> UseAsync<T>(Func<ConnectionLease, Task<T>> work, CancellationToken cancellationToken)
    {
        var lease = await TakeAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await work(lease).ConfigureAwait(false);
        }
        finally
        {
            await PutBackAsync(lease).ConfigureAwait(false);
        }
    }

    /// <summary>A free lease, if there is one: for what is not worth waiting for.</summary>
    public ConnectionLease? TryTake()
    {
        lock (_lock)
            return _free.TryPop(out var lease) ? lease : null;
    }

    /// <summary>Gives a lease back: one that is broken or busy goes back to the pool at once.</summary>
    public ValueTask PutBackAsync(ConnectionLease lease)
    {
        if (lease.Connection.FullState != ConnectionState.Open)
            return lease.DisposeAsync();
        lock (_lock)
            _free.Push(lease);
        return default;
    }

    /// <summary>Returns those that no worker has.</summary>
    public async ValueTask DisposeAsync()
    {
        while (TryTake() is { } lease)
            await lease.DisposeAsync().ConfigureAwait(false);
    }
}
