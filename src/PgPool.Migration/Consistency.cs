namespace PgPool.Migration;

/// <summary>At how many instants the rows of a run were read.</summary>
public enum Consistency
{
    /// <summary>Every row of the run was read at one instant, or the source was vouched frozen.</summary>
    Snapshot,

    /// <summary>Each partition was read at one instant, but not all at the same: the run was resumed under a later snapshot.</summary>
    PerPartition,
}
