namespace PgPool.Migration.Catalogs;

/// <summary>What rows are read from: an ordinary table, or a leaf of a partitioned one.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Heap and TOAST.</param>
/// <param name="Blocks">Blocks of the heap; 0 for what has no heap (a foreign table): that can be read only whole.</param>
/// <param name="Key">The first column of its primary key, if it has one.</param>
internal sealed record Relation(TableName Name, long Bytes, long Blocks, KeyColumn? Key)
{
    /// <summary>Its oid, which outlives its name.</summary>
    public long Oid { get; init; }
}
