namespace PgPool.Migration.Checkpoints;

/// <summary>A run as the target database knows it.</summary>
/// <param name="Kind">"copy", "transform" or "update".</param>
/// <param name="Epoch">The number of the snapshot that is read now: 1 for the first.</param>
/// <param name="Definitions">What each table's plan is made of, by the source's name.</param>
/// <param name="Relations">What holds its rows, as it was planned, and what of it is left to do.</param>
/// <param name="Snapshots">Ids that processes of the run have exported in this epoch; some may be gone.</param>
/// <param name="SnapshotContents">What they stand for: a server that was restarted gives ids out again. Null where there are none.</param>
internal sealed record StoredRun(
    string Kind, int Epoch, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Definitions, ILookup<string, StoredRelation> Relations,
    IReadOnlyList<string> Snapshots, string? SnapshotContents)
{
    /// <summary>Whether rows of a table are still to be moved.</summary>
    public bool IsUnfinished(string table) => Relations[table].Any(static relation => relation.Undone > 0);
}
