namespace PgPool.Migration.Sequences;

/// <summary>How far a sequence is.</summary>
/// <param name="Table">The table that was asked for and uses it; null: no column uses it.</param>
/// <param name="Column">The column that does.</param>
/// <param name="Sequence">The sequence.</param>
/// <param name="Least">The least value that it gives.</param>
/// <param name="Greatest">The greatest one.</param>
/// <param name="Ascends">Whether it goes up.</param>
/// <param name="Last">The last value that it gave; null: it has given none, or this role may not know.</param>
/// <param name="MaySet">Whether this role may read and set it.</param>
internal sealed record StandingSequence(
    TableName? Table, string? Column, TableName Sequence, long Least, long Greatest, bool Ascends, long? Last, bool MaySet);
