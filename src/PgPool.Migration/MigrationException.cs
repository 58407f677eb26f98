namespace PgPool.Migration;

/// <summary>A migration cannot go on, or not begin; the message says what failed, where, and what to change.</summary>
/// <remarks>A row is named by its key where it has one, else by its COPY line.</remarks>
/// <param name="message">What failed, and the cure.</param>
/// <param name="innerException">What it came from, if anything.</param>
public class MigrationException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>The table at which it failed, if at one.</summary>
    public TableName? Table { get; init; }

    /// <summary>The partition at which it failed, as SQL conditions name it, if at one.</summary>
    public string? Partition { get; init; }
}
