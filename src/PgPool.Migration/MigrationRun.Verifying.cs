using PgPool.Migration.Catalogs;
using PgPool.Migration.Running;
using PgPool.Migration.Verifying;

namespace PgPool.Migration;

// Comparing what was copied.
public sealed partial class MigrationRun
{
    /// <summary>
    /// Compares source and target by row count, or by an order-independent checksum of all columns too; each side is read at one instant.
    /// </summary>
    /// <remarks>
    /// Both servers read their tables once, in parallel and at the same time, and send sums only. Compared are the columns that are
    /// copied, as text, and those that the target generates. A value that the target's type rounds compares as rounded. Rows that this
    /// run has put aside are counted:
    /// <see cref="TableVerification.MatchesButForRejected"/>. Tables whose targets share rows, as children by INHERITS that became
    /// partitions, match together where they do not one by one. What is written to either side after its copy, and
    /// before this, counts as a difference.
    /// </remarks>
    /// <param name="tables">The tables, as they were copied; <see cref="TableCopy.Where"/> applies to both sides.</param>
    /// <param name="mode">What is compared; by default a checksum.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What was found, table by table.</returns>
    /// <exception cref="ArgumentException">A table is named twice, or a value is not one of its enum.</exception>
    /// <exception cref="MigrationException">Tables, columns or privileges are missing, or a side could not be read.</exception>
    public async Task<VerificationReport> VerifyAsync(
        IEnumerable<TableCopy> tables, VerificationMode mode = VerificationMode.Checksum, CancellationToken cancellationToken = default)
    {
        var asked = ArgumentChecks.Check(tables);
        if (!Enum.IsDefined(mode))
            throw new ArgumentOutOfRangeException(nameof(mode), mode, $"Not a {nameof(VerificationMode)}.");
        return await Guarded.RunAsync(
            () => new VerificationRun(_id, (_source, _target), _options, mode).RunAsync(asked, cancellationToken), cancellationToken).ConfigureAwait(false);
    }
}
