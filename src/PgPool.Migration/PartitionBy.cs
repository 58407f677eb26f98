namespace PgPool.Migration;

/// <summary>How a table is cut into the partitions that workers share.</summary>
public enum PartitionBy
{
    /// <summary><see cref="Key"/> where a table has a suitable one, else <see cref="Blocks"/>.</summary>
    Auto,

    /// <summary>Ranges of the primary key's first column: can be resumed later under another snapshot.</summary>
    Key,

    /// <summary>Ranges of the heap's blocks (ctid): any table, no index needed.</summary>
    Blocks,

    /// <summary>The table in one piece.</summary>
    Whole,
}
