namespace PgPool.Migration;

/// <summary>How far a run has come. Monotonic over all workers; the last report stands at the total.</summary>
/// <param name="Phase">"plan", then "copy", "transform" or "update", then "done".</param>
/// <param name="Table">The table worked on last.</param>
/// <param name="PartitionsDone">Partitions done, those of earlier calls and other processes included.</param>
/// <param name="PartitionsTotal">Partitions of the run; grows when one is split.</param>
/// <param name="Rows">Rows of this call.</param>
/// <param name="Bytes">Bytes of this call.</param>
/// <param name="RowsPerSecond">Mean rate of this call since it began to copy.</param>
/// <param name="Elapsed">Since the call.</param>
/// <param name="Remaining">An estimate; null until there is something to estimate from.</param>
/// <param name="ActiveWorkers">Workers with a partition in hand.</param>
/// <param name="Paused">Whether <see cref="MigrationOptions.PauseWhile"/> holds the run.</param>
public readonly record struct MigrationProgress(string Phase, TableName? Table, int PartitionsDone, int PartitionsTotal, long Rows, long Bytes,
    double RowsPerSecond, TimeSpan Elapsed, TimeSpan? Remaining, int ActiveWorkers, bool Paused)
{
    /// <summary>How long the source has had to keep what the snapshot sees (it holds back vacuum there); null without a snapshot.</summary>
    public TimeSpan? SnapshotAge { get; init; }

    /// <summary>What the run waits for, for a person to read; null while it does not wait.</summary>
    public string? PauseReason { get; init; }

    /// <summary>How much of the planned bytes is done, 0 to 1.</summary>
    public double Fraction { get; init; }
}
