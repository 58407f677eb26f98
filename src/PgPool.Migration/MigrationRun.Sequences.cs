using PgPool.Migration.Running;
using PgPool.Migration.Sequences;

namespace PgPool.Migration;

public sealed partial class MigrationRun
{
    /// <summary>
    /// Sets the target's sequences of these tables past the values that their columns have: those of identity and serial columns, and those that a
    /// column's default uses. A sequence never goes back, and those of empty tables stay as they are.
    /// </summary>
    /// <remarks>What other sessions took from a sequence with a cache before this, they may still use.</remarks>
    /// <param name="tables">The tables, as they were copied.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="ArgumentException">One of the tables is null.</exception>
    /// <exception cref="MigrationException">A table is missing or a privilege is: all of them are named, and no sequence is changed.</exception>
    public Task SynchronizeSequencesAsync(IEnumerable<TableCopy> tables, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tables);
        List<TableName> targets = [];
        foreach (var table in tables)
            targets.Add(table?.TargetName ?? throw new ArgumentException("One of the tables is null.", nameof(tables)));
        return targets.Count == 0 ? Task.CompletedTask : Guarded.RunAsync(
            () => SynchronizeSequencesAsync([.. targets.Distinct()], cancellationToken), cancellationToken);
    }

    private async Task<bool> SynchronizeSequencesAsync(TableName[] targets, CancellationToken cancellationToken)
    {
        var lease = await _target.RentAsync(new RentOptions { Label = $"sequences of {_id}" }, cancellationToken).ConfigureAwait(false);
        await using (lease.ConfigureAwait(false))
            await SequenceSynchronization.RunAsync(lease, targets, cancellationToken).ConfigureAwait(false);
        return true;
    }
}
