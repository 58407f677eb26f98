using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Running;

/// <summary>The checks before a call, on a lease of each pool.</summary>
internal static class Preparation
{
    /// <param name="pools">Source and target.</param>
    /// <param name="size">What the call is going to rent of them.</param>
    /// <param name="label">For whoever looks who holds a lease.</param>
    /// <param name="tables">What the caller asked for, its arguments checked.</param>
    /// <param name="options">What else is needed; the connections are added here.</param>
    /// <param name="cancellationToken">Ends the checks.</param>
    /// <exception cref="MigrationException">The call cannot be carried out: all the reasons.</exception>
    public static async Task<IReadOnlyList<TablePlan>> CheckAsync(
        (ConnectionPool Source, ConnectionPool Target) pools, RunSize size, string label, IReadOnlyList<TableCopy> tables, PreflightOptions options,
        CancellationToken cancellationToken)
    {
        var (reader, writer) = await LeaseGang.RentAsync(pools.Source, 1, pools.Target, 1, label, cancellationToken).ConfigureAwait(false);
        try
        {
            var isOne = ReferenceEquals(pools.Source, pools.Target);
            var check = options with
            {
                Source = Demand(pools.Source, isOne ? size.Source + size.Target : size.Source),
                Target = isOne ? null : Demand(pools.Target, size.Target),
            };
            return await Preflight.CheckAsync(reader[0], writer[0], tables, check, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await LeaseGang.ReturnAsync([.. reader, .. writer]).ConfigureAwait(false);
        }
    }

    private static ConnectionDemand Demand(ConnectionPool pool, int leases) => new(pool.Name, leases, pool.GetStatistics().Total);
}
