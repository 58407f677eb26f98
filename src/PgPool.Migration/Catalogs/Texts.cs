namespace PgPool.Migration.Catalogs;

/// <summary>What is compared of two values.</summary>
/// <param name="Source">SQL for the source.</param>
/// <param name="Target">SQL for the target.</param>
/// <param name="IsPlain">Both values as they are.</param>
internal readonly record struct Texts(string Source, string Target, bool IsPlain);
