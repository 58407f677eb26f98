using PgPool.Migration.Catalogs;
using PgPool.Migration.Copying;
using PgPool.Migration.Running;

namespace PgPool.Migration;

// Copying rows as they are.
public sealed partial class MigrationRun
{
    /// <summary>Copies the tables. Everything is checked before any row is written.</summary>
    /// <param name="tables">What to copy; see <see cref="DiscoverAsync"/> for all of a database.</param>
    /// <param name="progress">Is told a few times a second how far the run is, and at last of its end.</param>
    /// <param name="cancellationToken">Stops the run; what is done stays done.</param>
    /// <returns>What this call did.</returns>
    /// <exception cref="ArgumentException">A table is named twice, or a value of a table contradicts another.</exception>
    /// <exception cref="MigrationException">What failed, where, and what to change; the rest of the run's work is kept.</exception>
    public async Task<MigrationReport> CopyAsync(
        IEnumerable<TableCopy> tables, IProgress<MigrationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var asked = ArgumentChecks.Check(tables);
        return await Guarded.RunAsync(
            () => new TransferRun(_id, "copy", (_source, _target), _options, _log).RunAsync(
                asked, run => new CopyJob(run, new TableCopier()), progress, cancellationToken),
            cancellationToken).ConfigureAwait(false);
    }
}
