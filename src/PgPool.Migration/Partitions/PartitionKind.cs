namespace PgPool.Migration.Partitions;

/// <summary>What a partition's bounds are.</summary>
internal enum PartitionKind
{
    /// <summary>None: the whole relation.</summary>
    Whole,

    /// <summary>Values of the key as text: the same rows under any snapshot.</summary>
    Key,

    /// <summary>Numbers of blocks: the same rows only to those who share a snapshot.</summary>
    Blocks,
}
