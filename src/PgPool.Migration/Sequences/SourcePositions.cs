namespace PgPool.Migration.Sequences;

/// <summary>Where the source's sequences stand, for those of the target that are the same.</summary>
/// <remarks>
/// The rule is pg_dump's: a sequence goes on where the source's would, whatever rows there are; of deleted ones no number is given again. Two are the
/// same that give the same column of a table its values, or, where no column uses them, that have one name.
/// </remarks>
internal static class SourcePositions
{
    public static async Task<List<StandingSequence>> ReadAsync(
        ConnectionLease source, IReadOnlyList<TableName> tables, CancellationToken cancellationToken)
    {
        var transaction = await source.Connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await source.ExecuteAsync(SessionSettings.ForReading(source), cancellationToken).ConfigureAwait(false);
            return await SequenceCatalog.FindPositionsAsync(source, tables, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The values that the target's sequences have to be past.</summary>
    /// <param name="tables">Source and target of each table.</param>
    /// <param name="source">The source's.</param>
    /// <param name="target">The target's.</param>
    /// <exception cref="MigrationException">A sequence of the target cannot give the value, or this role may not set it; none was changed.</exception>
    public static IEnumerable<(TableName Sequence, long Value, bool Ascends)> Match(
        IReadOnlyList<(TableName Source, TableName Target)> tables, IReadOnlyList<StandingSequence> source, IReadOnlyList<StandingSequence> target)
    {
        foreach (var to in target)
        {
            foreach (var from in source.Where(from => from.Last is not null && AreSame(tables, from, to)))
            {
                var value = from.Last!.Value;
                var isBehind = to.Last is not { } last || (to.Ascends ? last < value : last > value);
                if (!isBehind)
                    continue;
                if (value < to.Least || value > to.Greatest)
                    throw Refused(to, $"cannot give the value {value} at which {from.Sequence} of the source stands: ALTER SEQUENCE … MINVALUE, MAXVALUE or AS");
                if (!to.MaySet)
                    throw Refused(to, "may not be read or set: GRANT SELECT, UPDATE on the sequence, and USAGE on its schema");
                yield return (to.Sequence, value, to.Ascends);
            }
        }
    }

    private static bool AreSame(IReadOnlyList<(TableName Source, TableName Target)> tables, StandingSequence from, StandingSequence to)
    {
        if (to.Table is null || from.Table is null)
            return to.Table is null && from.Table is null && to.Sequence == from.Sequence;
        return to.Column == from.Column && tables.Contains((from.Table, to.Table));
    }

    private static MigrationException Refused(StandingSequence to, string reason) =>
        new($"No sequence was set. {to.Sequence} {reason}.") { Table = to.Table };
}
