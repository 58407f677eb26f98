namespace PgPool.Migration.Running;

/// <summary>The leases of a run, on both sides, rented so that runs cannot wait for each other.</summary>
/// <remarks>
/// Each pool gives all or nothing, and all runs of the process ask the pools in one order: whoever holds leases of one pool waits only for pools that
/// come later, so no circle can close. Where source and target are one pool, both shares are one request.
/// </remarks>
internal static class LeaseGang
{
    /// <returns>The leases; the caller returns them.</returns>
    public static async Task<(IReadOnlyList<ConnectionLease> Source, IReadOnlyList<ConnectionLease> Target)> RentAsync(
        ConnectionPool source, int sourceCount, ConnectionPool target, int targetCount, string label, CancellationToken cancellationToken)
    {
        if (ReferenceEquals(source, target))
        {
            var all = await RentAsync(source, sourceCount + targetCount, label, cancellationToken).ConfigureAwait(false);
            return ([.. all.Take(sourceCount)], [.. all.Skip(sourceCount)]);
        }

        var sourceFirst = PoolOrder.Of(source) < PoolOrder.Of(target);
        var first = await RentAsync(sourceFirst ? source : target, sourceFirst ? sourceCount : targetCount, label, cancellationToken).ConfigureAwait(false);
        try
        {
            var second = await RentAsync(sourceFirst ? target : source, sourceFirst ? targetCount : sourceCount, label, cancellationToken).ConfigureAwait(false);
            return sourceFirst ? (first, second) : (second, first);
        }
        catch
        {
            await ReturnAsync(first).ConfigureAwait(false);
            throw;
        }
    }

    public static async ValueTask ReturnAsync(IEnumerable<ConnectionLease> leases)
    {
        foreach (var lease in leases)
            await lease.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<IReadOnlyList<ConnectionLease>> RentAsync(ConnectionPool pool, int count, string label, CancellationToken cancellationToken) =>
        count == 0 ? [] : await pool.RentManyAsync(count, new() { Label = label }, cancellationToken).ConfigureAwait(false);
}
