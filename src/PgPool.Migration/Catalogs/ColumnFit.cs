namespace PgPool.Migration.Catalogs;

/// <summary>How a column of the source gets into one of the target.</summary>
/// <param name="Cast">The type to which the source casts it; null: it goes as it is.</param>
/// <param name="IsBinary">Whether the binary form is proven to mean the same on both sides.</param>
/// <param name="Problem">Why it does not fit; null: it does.</param>
/// <param name="Cure">What to change then.</param>
internal readonly record struct ColumnFit(string? Cast, bool IsBinary, string? Problem = null, string? Cure = null);
