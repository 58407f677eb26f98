namespace PgPool.Migration.Snapshots;

/// <summary>Where the snapshot of a group comes from, and who else has to do with it.</summary>
internal sealed record SnapshotPlan
{
    /// <summary>
    /// SQL run in the first member's transaction before the snapshot is taken (LOCK TABLE … IN ACCESS SHARE MODE takes no snapshot); run again by
    /// the member that replaces it. Null: nothing.
    /// </summary>
    public string? Lock { get; init; }

    /// <summary>
    /// Identifiers that others exported, to be imported rather than a new snapshot taken; if none can be imported a new one is taken.
    /// </summary>
    public IReadOnlyList<string> ImportFrom { get; init; } = [];

    /// <summary>
    /// <see cref="SnapshotGroup.Contents"/> of those who exported <see cref="ImportFrom"/>. After a restart the server gives identifiers out
    /// again: a kept one may then be another's snapshot, and this tells. Null: not known, and not compared.
    /// </summary>
    public string? ImportContents { get; init; }

    /// <summary>Asked for identifiers of other processes when all own members are lost. Null: nobody to ask.</summary>
    public Func<CancellationToken, Task<IReadOnlyList<string>>>? ElsewhereAsync { get; init; }

    /// <summary>
    /// Told, after each change, the identifiers that can be imported now; never twice at once. What it throws, the caller of the group gets. Null:
    /// nobody to tell.
    /// </summary>
    public Func<IReadOnlyList<string>, CancellationToken, Task>? ChangedAsync { get; init; }
}
