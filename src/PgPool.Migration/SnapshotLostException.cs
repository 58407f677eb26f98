namespace PgPool.Migration;

/// <summary>Every lease of a snapshot broke: the instant can't be read any more.</summary>
/// <param name="message">What was lost, and the cure.</param>
/// <param name="innerException">What broke the last lease, if known.</param>
public sealed class SnapshotLostException(string message, Exception? innerException = null) : MigrationException(message, innerException);
