namespace PgPool.Migration.Catalogs;

/// <summary>A column that is copied.</summary>
/// <param name="Name">Its name in both tables, as the catalog has it.</param>
/// <param name="Read">
/// What the source selects for it: the quoted name, or, where the types differ, what <see cref="TypeFit"/> makes of it: mostly a cast
/// without a length (an explicit cast to varchar(3) would cut silently; the target's own check does not).
/// </param>
/// <param name="TargetType">The target's type in full, as format_type prints it with an empty search_path.</param>
internal sealed record CopyColumn(string Name, string Read, string TargetType)
{
    /// <summary>The target makes its values itself: it is compared, and not copied.</summary>
    public bool IsGenerated { get; init; }

    /// <summary>What a verification compares: SQL for the source and for the target.</summary>
    public (string Source, string Target)? Compared { get; init; }
}
