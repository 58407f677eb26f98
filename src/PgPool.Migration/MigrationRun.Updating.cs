using PgPool.Migration.Running;
using PgPool.Migration.Updating;

namespace PgPool.Migration;

// Changing rows in place.
public sealed partial class MigrationRun
{
    /// <summary>
    /// Runs an UPDATE or DELETE on the target database in place, in ranges of the primary key's first column, each its own transaction, resumable. Ranges
    /// adapt to take about half a second each, so that rows are not locked for long.
    /// </summary>
    /// <remarks>
    /// Every key that was there when its range was reached is covered once. Rows that others insert meanwhile may be covered or not. A statement that
    /// assigns to the key is refused, and one that changes a row outside of its range, or moves it there, fails and leaves that range as it was. The
    /// source pool is not used.
    /// </remarks>
    /// <param name="table">The table whose key is cut into ranges.</param>
    /// <param name="sql">
    /// The statement, with @first and @last, both inclusive, of the key's type: "UPDATE orders SET total = net * 1.2 WHERE id BETWEEN @first AND @last".
    /// </param>
    /// <param name="progress">Is told a few times a second how far the run is, and at last of its end.</param>
    /// <param name="cancellationToken">Stops the run; ranges that are done stay done.</param>
    /// <returns>What this call did; rows are those that the statement reported.</returns>
    /// <exception cref="ArgumentException">sql is not one statement, or lacks @first or @last outside of strings and comments.</exception>
    /// <exception cref="MigrationException">What failed, where, and what to change.</exception>
    public async Task<MigrationReport> UpdateAsync(
        TableName table, string sql, IProgress<MigrationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentException.ThrowIfNullOrWhiteSpace(sql);
        var statement = UpdateStatement.Parse(sql);
        return await Guarded.RunAsync(
            () => new TargetRun(_id, _target, _options, _log).RunAsync(table, statement, progress, cancellationToken), cancellationToken).ConfigureAwait(false);
    }
}
