namespace PgPool.Migration.Snapshots;

/// <summary>A snapshot as a transaction in it exports it.</summary>
/// <param name="Id">For SET TRANSACTION SNAPSHOT; valid while that transaction lives.</param>
/// <param name="Contents">Which transactions it sees: the same in all transactions of the snapshot.</param>
internal readonly record struct ExportedSnapshot(string Id, string Contents);
