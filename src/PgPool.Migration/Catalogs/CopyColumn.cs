namespace PgPool.Migration.Catalogs;

/// <summary>A column that is copied.</summary>
/// <param name="Name">Its name in both tables, as the catalog has it.</param>
/// <param name="Read">
/// What the source selects for it: the quoted name, or, where the types differ, a cast to the target's type without its length (an explicit cast to
/// varchar(3) would cut silently; the target's own check does not).
/// </param>
/// <param name="TargetType">The target's type in full, as format_type prints it with an empty search_path.</param>
internal sealed record CopyColumn(string Name, string Read, string TargetType);
