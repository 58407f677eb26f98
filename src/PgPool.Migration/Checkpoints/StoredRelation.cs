namespace PgPool.Migration.Checkpoints;

/// <summary>What rows of a run's table are in, as it was planned.</summary>
/// <param name="Name">Its name then.</param>
/// <param name="Done">How many of its partitions are done.</param>
/// <param name="Undone">How many are not.</param>
/// <param name="UndoneByKey">How many of those are ranges of its key.</param>
internal sealed record StoredRelation(TableName Name, int Done, int Undone, int UndoneByKey);
