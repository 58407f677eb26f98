using PgPool.Migration.Running;
using PgPool.Migration.Sequences;

namespace PgPool.Migration;

public sealed partial class MigrationRun
{
    /// <summary>
    /// Sets the target's sequences of these tables past the values that their columns have, and to where the source's stand: those of identity and
    /// serial columns, those that a column's default uses, and those in the schemas of these tables that no column uses, as functions, triggers and
    /// applications do. A sequence never goes back.
    /// </summary>
    /// <remarks>
    /// Of sequences that no column uses, those of one name on both sides are the same; this role must be able to read them in the source, or they are
    /// left alone. What other sessions took from a sequence with a cache before this, they may still use.
    /// </remarks>
    /// <param name="tables">The tables, as they were copied.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="ArgumentException">One of the tables is null.</exception>
    /// <exception cref="MigrationException">A table is missing or a privilege is, or a sequence of the target cannot give a value that the
    /// source's has given; no sequence is changed.</exception>
    public Task SynchronizeSequencesAsync(IEnumerable<TableCopy> tables, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tables);
        List<(TableName Source, TableName Target)> pairs = [];
        foreach (var table in tables)
            pairs.Add(table is null ? throw new ArgumentException("One of the tables is null.", nameof(tables)) : (table.Source, table.TargetName));
        return pairs.Count == 0 ? Task.CompletedTask : Guarded.RunAsync(() => SynchronizeSequencesAsync(pairs, cancellationToken), cancellationToken);
    }

    private async Task<bool> SynchronizeSequencesAsync(List<(TableName Source, TableName Target)> tables, CancellationToken cancellationToken)
    {
        var options = new RentOptions { Label = $"sequences of {_id}" };
        List<StandingSequence> positions;
        var source = await _source.RentAsync(options, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            positions = await SourcePositions.ReadAsync(
                source, [.. tables.Select(static table => table.Source).Distinct()], cancellationToken).ConfigureAwait(false);
        }

        var target = await _target.RentAsync(options, cancellationToken).ConfigureAwait(false);
        await using (target.ConfigureAwait(false))
            await SequenceSynchronization.RunAsync(target, tables, positions, cancellationToken).ConfigureAwait(false);
        return true;
    }
}
