using Microsoft.Extensions.Logging;
using PgPool.Migration.Statements;

namespace PgPool.Migration;

/// <summary>How a run behaves. Bad values are refused by <see cref="MigrationRun"/>'s constructor with an <see cref="ArgumentException"/> that names the property.</summary>
public sealed record MigrationOptions
{
    /// <summary>
    /// Workers; null, the default, or more than that: as many as both pools allow. Each needs one source and one target lease; where the source pool
    /// has room, one more lease holds the snapshot, so that even a single worker's loss heals. Pools too small for one worker:
    /// <see cref="MigrationException"/>.
    /// </summary>
    public int? Degree { get; init; }

    /// <summary>Heap and TOAST bytes per partition; at least 8 KiB. The default is 64 MiB.</summary>
    public long PartitionBytes { get; init; } = 64L << 20;

    /// <summary>Bytes per second over all workers of this process; null, the default: as fast as it goes.</summary>
    public long? MaxBytesPerSecond { get; init; }

    /// <summary>
    /// A query on the target that returns true to pause the run, e.g. on replica lag; asked before each partition, the first included, once a second
    /// at most, in a read-only transaction; NULL is false. Null, the default: never paused.
    /// </summary>
    public string? PauseWhile { get; init; }

    /// <summary>Attempts per partition. The default is 5.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>
    /// The caller vouches that the source does not change between attempts; lets a plan by <see cref="PartitionBy.Blocks"/> be resumed. The default is false.
    /// </summary>
    public bool SourceIsFrozen { get; init; }

    /// <summary>
    /// Suppresses triggers and foreign keys on the target while copying (session_replication_role = replica); needs the privilege. The default is false.
    /// </summary>
    public bool DisableTriggers { get; init; }

    /// <summary>Where logs go; null, the default: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>Where all times come from; the system's by default.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    internal void Validate()
    {
        Check(Degree is null or >= 1, nameof(Degree), Degree, "1 or more, or null for as many as both pools allow");
        Check(PartitionBytes >= 8192, nameof(PartitionBytes), PartitionBytes, "8192 (one block) or more");
        Check(MaxBytesPerSecond is null or >= 1, nameof(MaxBytesPerSecond), MaxBytesPerSecond, "1 or more, or null for no limit");
        Check(MaxAttempts >= 1, nameof(MaxAttempts), MaxAttempts, "1 or more");
        Check(PauseWhile is null || SqlStatement.One(SqlTokenizer.Read(PauseWhile).Tokens) is not null, nameof(PauseWhile), PauseWhile,
            "one SQL query that returns a boolean, or null");
        ArgumentNullException.ThrowIfNull(TimeProvider, nameof(TimeProvider));

        static void Check(bool holds, string property, object? value, string wanted)
        {
            if (!holds)
                throw new ArgumentOutOfRangeException(property, value, $"{nameof(MigrationOptions)}.{property} must be {wanted}.");
        }
    }
}
