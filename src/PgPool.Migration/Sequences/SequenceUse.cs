namespace PgPool.Migration.Sequences;

/// <summary>A sequence that gives a column its values.</summary>
/// <param name="Table">The table that was asked for: of a partitioned one the root, also where it is a leaf that uses the sequence.</param>
/// <param name="Column">The column.</param>
/// <param name="Sequence">The sequence.</param>
/// <param name="Least">The least value that it gives.</param>
/// <param name="Greatest">The greatest one.</param>
/// <param name="Ascends">Whether it goes up.</param>
/// <param name="MayRead">Whether this role may read the column.</param>
/// <param name="MaySet">Whether this role may read and set the sequence.</param>
internal sealed record SequenceUse(
    TableName Table, string Column, TableName Sequence, long Least, long Greatest, bool Ascends, bool MayRead, bool MaySet);
