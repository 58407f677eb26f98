namespace PgPool.Migration.Catalogs;

/// <summary>A column of a table, as the catalog has it.</summary>
internal sealed record CatalogColumn
{
    public required string Name { get; init; }

    /// <summary>The oid of its type.</summary>
    public required long Type { get; init; }

    /// <summary>The type in full, length included, qualified unless it is a core type.</summary>
    public required string FormattedType { get; init; }

    public required bool IsNotNull { get; init; }

    /// <summary>GENERATED ALWAYS AS (…), stored or virtual: cannot be written.</summary>
    public required bool IsGenerated { get; init; }

    /// <summary>GENERATED ALWAYS AS IDENTITY: can be inserted, not updated.</summary>
    public required bool IsIdentityAlways { get; init; }

    /// <summary>A default, or an identity of either kind.</summary>
    public required bool HasDefault { get; init; }

    public required bool MaySelect { get; init; }

    public required bool MayInsert { get; init; }

    public required bool MayUpdate { get; init; }
}
