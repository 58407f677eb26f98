namespace PgPool.Migration.Catalogs;

/// <summary>How a value of the source gets into a column of the target.</summary>
/// <param name="Read">What the source selects for it.</param>
/// <param name="Form">In which form it may go.</param>
/// <param name="Needs">What it depends on.</param>
/// <param name="Problem">Why it does not fit; null: it does.</param>
/// <param name="Cure">What to change then.</param>
internal readonly record struct ColumnFit(string Read, Likeness Form, ValueNeeds Needs, string? Problem = null, string? Cure = null);
