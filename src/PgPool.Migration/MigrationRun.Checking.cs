using PgPool.Migration.Catalogs;
using PgPool.Migration.Running;

namespace PgPool.Migration;

// Knowing before.
public sealed partial class MigrationRun
{
    /// <summary>
    /// Checks what <see cref="CopyAsync"/>, <see cref="SynchronizeSequencesAsync(IEnumerable{TableCopy}, CancellationToken)"/> and
    /// <see cref="VerifyAsync"/> of these tables need, on both sides, and changes nothing. Each of them checks for itself; with this, nobody learns
    /// after a long copy that the role may not set a sequence.
    /// </summary>
    /// <param name="tables">The tables, as they are going to be copied.</param>
    /// <param name="cancellationToken">Ends the checks.</param>
    /// <exception cref="ArgumentException">A table is named twice, or a value of a table contradicts another.</exception>
    /// <exception cref="MigrationException">All that stands against it, each with its cure; or a side could not be read.</exception>
    public Task CheckAsync(IEnumerable<TableCopy> tables, CancellationToken cancellationToken = default)
    {
        var asked = ArgumentChecks.Check(tables);
        return Guarded.RunAsync(async () =>
        {
            var needs = new PreflightOptions { RunId = _id, DisableTriggers = _options.DisableTriggers, PauseWhile = _options.PauseWhile };
            await Preparation.CheckAllAsync(
                (_source, _target), RunSize.Of(_options, _source, _target), $"check {_id}", asked, needs, cancellationToken).ConfigureAwait(false);
            return true;
        }, cancellationToken);
    }
}
