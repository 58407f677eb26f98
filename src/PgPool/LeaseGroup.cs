using System.Collections;

namespace PgPool;

/// <summary>Leases rented together; disposing the group returns those not yet returned.</summary>
public sealed class LeaseGroup : IReadOnlyList<ConnectionLease>, IDisposable, IAsyncDisposable
{
    private readonly ConnectionLease[] _leases;

    internal LeaseGroup(ConnectionLease[] leases) => _leases = leases;

    /// <summary>How many leases were rented.</summary>
    public int Count => _leases.Length;

    /// <summary>One of the leases.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    public ConnectionLease this[int index] => _leases[index];

    /// <summary>Goes through the leases.</summary>
    public IEnumerator<ConnectionLease> GetEnumerator() => ((IEnumerable<ConnectionLease>)_leases).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Returns all leases, each as <see cref="ConnectionLease.Dispose"/> does.</summary>
    public void Dispose()
    {
        foreach (var lease in _leases)
            lease.Dispose();
    }

    /// <summary>Returns all leases, each as <see cref="ConnectionLease.DisposeAsync"/> does.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var lease in _leases)
            await lease.DisposeAsync().ConfigureAwait(false);
    }
}
