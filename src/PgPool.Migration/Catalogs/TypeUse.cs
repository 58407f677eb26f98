namespace PgPool.Migration.Catalogs;

/// <summary>A type as it is used somewhere: with its length.</summary>
/// <param name="Type">The type.</param>
/// <param name="Format">As format_type prints it with an empty search_path: "numeric(10,2)".</param>
internal readonly record struct TypeUse(CatalogType Type, string Format);
