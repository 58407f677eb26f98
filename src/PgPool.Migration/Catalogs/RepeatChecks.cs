using Npgsql;
using PgPool.Migration.Checkpoints;

namespace PgPool.Migration.Catalogs;

/// <summary>
/// Exactly once, whatever the id: a run does not append what another has brought into the same table from the same one, unless that is meant.
/// </summary>
/// <remarks>
/// What was brought counts as gone where the target is empty, or was emptied by a run since. Runs of conditions that no row of the source meets together
/// are no repetition of each other, nor are runs that read another database.
/// </remarks>
internal sealed class RepeatChecks(ConnectionLease source, ConnectionLease target, Problems problems, CancellationToken cancellationToken)
{
    /// <param name="runId">The run that is going to begin, or to go on.</param>
    /// <param name="database">What the source is, by <see cref="EarlierRuns.IdentifyAsync"/>.</param>
    /// <param name="tables">Its tables, which are there.</param>
    public async Task RunAsync(string runId, string database, IReadOnlyList<(TableCopy Copy, CatalogTable From)> tables)
    {
        List<(TableCopy Copy, CatalogTable From)> appending = [.. tables.Where(static table => table.Copy is { Mode: TargetMode.Append, AllowRepeat: false })];
        if (appending.Count == 0)
            return;
        var earlier = await EarlierRuns.ReadAsync(target, runId, appending.Select(static table => table.Copy.TargetName), cancellationToken).ConfigureAwait(false);
        var byTarget = earlier.ToLookup(static run => run.Target);
        foreach (var (copy, from) in appending)
        {
            if (await FindAsync(copy, from, database, [.. byTarget[copy.TargetName.ToString()]]).ConfigureAwait(false) is not { } run)
                continue;
            problems.Add(copy.Source,
                $"run {run.RunId}, begun on {run.Began} UTC, has brought {run.Rows} rows of it into {copy.TargetName}, which this run would append again",
                $"call it with that id to go on with that run, empty the target first or have {nameof(TargetMode)}.{nameof(TargetMode.Truncate)} do so, or set "
                + $"{nameof(TableCopy)}.{nameof(TableCopy.AllowRepeat)} if it is meant");
        }
    }

    private async Task<EarlierRun?> FindAsync(TableCopy copy, CatalogTable from, string database, IReadOnlyList<EarlierRun> runs)
    {
        var emptied = runs.Where(static run => run.Emptied).Max(static run => (DateTimeOffset?)run.BeganAt);
        EarlierRun? found = null;
        foreach (var run in runs.Reverse())
        {
            if (run.Rows > 0 && run.Source == copy.Source.ToString() && !(run.LastAt < emptied) && IsSame(run.SourceDatabase, database)
                && await OverlapAsync(copy, from, run.Where).ConfigureAwait(false))
            {
                found = run;
                break;
            }
        }

        return found is not null && await HasRowsAsync(copy.TargetName).ConfigureAwait(false) ? found : null;
    }

    private static bool IsSame(string database, string other) => database.Length == 0 || other.Length == 0 || database == other;

    private async Task<bool> OverlapAsync(TableCopy copy, CatalogTable from, string? where)
    {
        if (where is null || copy.Where is null || where == copy.Where)
            return true;

        // A condition that is none any more may have been of any rows.
        var table = $"{(from.IsPartitioned ? "" : "ONLY ")}{from.Name} AS {Sql.Name(copy.Source.Name)}";
        return await TryAskAsync(source, $"SELECT EXISTS (SELECT FROM {table} WHERE (\n{where}\n) AND (\n{copy.Where}\n))").ConfigureAwait(false) ?? true;
    }

    // Who may only insert cannot know.
    private async Task<bool> HasRowsAsync(TableName table) =>
        await TryAskAsync(target, $"SELECT EXISTS (SELECT FROM {table})").ConfigureAwait(false) ?? true;

    /// <returns>Null where the server does not understand the question, or does not answer to this role.</returns>
    private async Task<bool?> TryAskAsync(ConnectionLease lease, string sql)
    {
        await lease.ExecuteAsync("SAVEPOINT pgpool_ask", cancellationToken).ConfigureAwait(false);
        try
        {
            return await lease.ScalarAsync<bool>(sql, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState[..2] is "42" or "22" or "0A")
        {
            return null;
        }
        finally
        {
            if (lease.Connection.FullState == System.Data.ConnectionState.Open)
                await lease.ExecuteAsync("ROLLBACK TO pgpool_ask", CancellationToken.None).ConfigureAwait(false);
        }
    }
}
