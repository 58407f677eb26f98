using PgPool.Migration.Catalogs;
using PgPool.Migration.Sequences;

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
    public static Task<IReadOnlyList<TablePlan>> CheckAsync(
        (ConnectionPool Source, ConnectionPool Target) pools, RunSize size, string label, IReadOnlyList<TableCopy> tables, PreflightOptions options,
        CancellationToken cancellationToken) =>
        OnBothAsync(pools, tables, label, (reader, writer) =>
            Preflight.CheckAsync(reader, writer, tables, WithDemand(options, pools, size), cancellationToken), cancellationToken);

    /// <summary>The checks of a copy, and of all that comes after it.</summary>
    /// <inheritdoc cref="CheckAsync"/>
    public static Task CheckAllAsync(
        (ConnectionPool Source, ConnectionPool Target) pools, RunSize size, string label, IReadOnlyList<TableCopy> tables, PreflightOptions options,
        CancellationToken cancellationToken) =>
        OnBothAsync(pools, tables, label, async (reader, writer) =>
        {
            var problems = new Problems();
            await Preflight.FindAsync(reader, writer, tables, WithDemand(options, pools, size), problems, cancellationToken).ConfigureAwait(false);
            await Preflight.FindAsync(reader, writer, tables, new() { Writes = false }, problems, cancellationToken).ConfigureAwait(false);
            await SequenceSynchronization.FindProblemsAsync(
                writer, [.. tables.Select(static table => table.TargetName).Distinct()], problems, cancellationToken).ConfigureAwait(false);
            problems.ThrowIfAny();
            return true;
        }, cancellationToken);

    private static async Task<T> OnBothAsync<T>(
        (ConnectionPool Source, ConnectionPool Target) pools, IReadOnlyList<TableCopy> tables, string label,
        Func<ConnectionLease, ConnectionLease, Task<T>> check, CancellationToken cancellationToken)
    {
        // A run of nothing would end well, and look as if all were there.
        if (tables.Count == 0)
        {
            throw new MigrationException(
                $"No tables to {label.Split(' ')[0]}: the list is empty. Where {nameof(MigrationRun.DiscoverAsync)} made it, the source, pool {pools.Source.Name}, "
                + "has none in the schemas asked for: is it the right database, and may the role see them?");
        }

        var (reader, writer) = await LeaseGang.RentAsync(pools.Source, 1, pools.Target, 1, label, cancellationToken).ConfigureAwait(false);
        try
        {
            return await check(reader[0], writer[0]).ConfigureAwait(false);
        }
        finally
        {
            await LeaseGang.ReturnAsync([.. reader, .. writer]).ConfigureAwait(false);
        }
    }

    private static PreflightOptions WithDemand(PreflightOptions options, (ConnectionPool Source, ConnectionPool Target) pools, RunSize size)
    {
        var isOne = ReferenceEquals(pools.Source, pools.Target);
        return options with
        {
            Source = Demand(pools.Source, isOne ? size.Source + size.Target : size.Source),
            Target = isOne ? null : Demand(pools.Target, size.Target),
        };
    }

    private static ConnectionDemand Demand(ConnectionPool pool, int leases) => new(pool.Name, leases, pool.GetStatistics().Total);
}
