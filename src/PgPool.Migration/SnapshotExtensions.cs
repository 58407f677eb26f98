namespace PgPool.Migration;

/// <summary>Leases that see a database at one instant.</summary>
public static class SnapshotExtensions
{
    /// <summary>
    /// Rents <paramref name="count"/> leases whose transactions all see the database at one instant: REPEATABLE READ, READ ONLY, one exported
    /// snapshot, imported by all before this returns. All or nothing, as <see cref="ConnectionPool.RentManyAsync"/> is.
    /// </summary>
    /// <param name="pool">The pool; its connections must all go to one server.</param>
    /// <param name="count">How many: 1 to the pool's MaxSize. With two or more the loss of one is healed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The group; disposing it ends the transactions and returns the leases.</returns>
    /// <remarks>
    /// The transactions keep VACUUM from removing what was deleted since they began: dispose the group as soon as all is read. The timeouts of
    /// statements and of idle transactions are off in them, and row_security is off: a policy that hides rows is an error.
    /// </remarks>
    /// <example><code>
    /// await using var group = await pool.RentSnapshotAsync(4, ct);
    /// await group.ForEachAsync(ranges, async (lease, range, ct) => await ExportAsync(lease.Connection, range, ct), ct);
    /// </code></example>
    /// <exception cref="ArgumentOutOfRangeException">count is below 1 or above the pool's MaxSize.</exception>
    /// <exception cref="PoolException">The pool could not lend that many connections.</exception>
    /// <exception cref="MigrationException">The connections do not reach one server.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pool is, or is being, disposed.</exception>
    public static ValueTask<SnapshotGroup> RentSnapshotAsync(this ConnectionPool pool, int count, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pool);

        // Here and not in an async method: the leases then count as the caller's own, where nested rents are watched.
        return TakeAsync(pool, pool.RentManyAsync(count, new() { Label = SnapshotGroup.Label }, cancellationToken), cancellationToken);
    }

    private static async ValueTask<SnapshotGroup> TakeAsync(ConnectionPool pool, ValueTask<LeaseGroup> rent, CancellationToken cancellationToken)
    {
        var leases = await rent.ConfigureAwait(false);
        return await SnapshotGroup.TakeAsync(pool, leases, new(), cancellationToken).ConfigureAwait(false);
    }
}
