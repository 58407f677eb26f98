using System.Data;

namespace PgPool.Migration.Catalogs;

/// <summary>Everything that is looked up and checked before a row is written.</summary>
internal static class Preflight
{
    // pg_class.relispartition, attidentity and backend_type began with it.
    private const int OldestVersion = 10;

    /// <summary>Looks the tables up on both sides, and says how each is copied.</summary>
    /// <param name="source">A session without a transaction; it is left without one.</param>
    /// <param name="target">Another such session; nothing that is tried in it stays.</param>
    /// <param name="tables">As <see cref="ArgumentChecks"/> passed them.</param>
    /// <param name="options">What else the run needs.</param>
    /// <param name="cancellationToken">Ends the checks.</param>
    /// <returns>A plan for each table, in their order.</returns>
    /// <exception cref="MigrationException">The run cannot begin: all the reasons, each with its cure.</exception>
    public static async Task<IReadOnlyList<TablePlan>> CheckAsync(
        ConnectionLease source, ConnectionLease target, IReadOnlyList<TableCopy> tables, PreflightOptions options, CancellationToken cancellationToken)
    {
        var problems = new Problems();
        var plans = await FindAsync(source, target, tables, options, problems, cancellationToken).ConfigureAwait(false);
        problems.ThrowIfAny();
        return plans;
    }

    /// <summary>As <see cref="CheckAsync"/>, but for the reasons, which are added to others.</summary>
    /// <returns>Plans that hold only where nothing was added.</returns>
    /// <exception cref="MigrationException">A server is too old to be asked more.</exception>
    public static async Task<IReadOnlyList<TablePlan>> FindAsync(
        ConnectionLease source, ConnectionLease target, IReadOnlyList<TableCopy> tables, PreflightOptions options, Problems problems,
        CancellationToken cancellationToken)
    {
        if (IsTooOld(source, "source", problems) | IsTooOld(target, "target", problems))
            problems.ThrowIfAny();

        var reading = await source.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
        await using (reading.ConfigureAwait(false))
        {
            var writing = await target.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
            await using (writing.ConfigureAwait(false))
            {
                await source.ExecuteAsync($"SET TRANSACTION READ ONLY; {SessionSettings.ForReading(source)}", cancellationToken).ConfigureAwait(false);
                await target.ExecuteAsync(SessionSettings.ForWriting(target), cancellationToken).ConfigureAwait(false);
                return await new PreflightChecks(source, target, tables, options, problems, cancellationToken).RunAsync().ConfigureAwait(false);
            }
        }
    }

    private static bool IsTooOld(ConnectionLease lease, string side, Problems problems)
    {
        if (lease.Connection.PostgreSqlVersion is not { Major: < OldestVersion } version)
            return false;
        problems.Add($"the {side} runs PostgreSQL {version}", $"{OldestVersion} is the least: upgrade it, or use pg_dump");
        return true;
    }
}
