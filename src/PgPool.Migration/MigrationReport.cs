namespace PgPool.Migration;

/// <summary>What a call did, exactly, whatever was retried; what other processes or earlier calls did is not in it.</summary>
public sealed record MigrationReport
{
    /// <summary>The tables, in the order they were given.</summary>
    public required IReadOnlyList<TableReport> Tables { get; init; }

    /// <summary>Rows written.</summary>
    public long Rows { get; init; }

    /// <summary>Bytes of the COPY streams of the partitions that were done.</summary>
    public long Bytes { get; init; }

    /// <summary>Rows that went to pgpool_migration.rejected.</summary>
    public long RejectedRows { get; init; }

    /// <summary>Attempts that failed and were followed by another.</summary>
    public int Retries { get; init; }

    /// <summary>Partitions that an earlier run of the same id had done already.</summary>
    public int PartitionsSkipped { get; init; }

    /// <summary>From the call to its end.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Whether every row of the run, earlier calls included, was read at one instant.</summary>
    public Consistency Consistency { get; init; }
}
