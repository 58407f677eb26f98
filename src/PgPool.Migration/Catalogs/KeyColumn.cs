namespace PgPool.Migration.Catalogs;

/// <summary>The first column of a primary key: what ranges are cut by.</summary>
/// <param name="Name">As the catalog has it.</param>
/// <param name="Type">As format_type prints it with an empty search_path, without a length: what a bound is cast to.</param>
internal sealed record KeyColumn(string Name, string Type);
