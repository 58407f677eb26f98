namespace PgPool.Migration.Catalogs;

/// <summary>A type of either database.</summary>
internal sealed record CatalogType
{
    public required long Oid { get; init; }

    public required string Schema { get; init; }

    public required string Name { get; init; }

    /// <summary>As format_type prints it without a length.</summary>
    public required string Formatted { get; init; }

    public required TypeKind Kind { get; init; }

    /// <summary>PostgreSQL's own: the same in every database.</summary>
    public required bool IsCore { get; init; }

    /// <summary>One of the types to which everything may be assigned.</summary>
    public required bool IsString { get; init; }

    public required bool HasBinary { get; init; }

    /// <summary>A domain that refuses NULL.</summary>
    public required bool IsNotNull { get; init; }

    public required bool HasDefault { get; init; }

    /// <summary>The oids of the element, the domain's base, the range's subtype or the attributes.</summary>
    public required long[] Parts { get; init; }

    /// <summary>The names of a composite's attributes, as <see cref="Parts"/>.</summary>
    public required string[] PartNames { get; init; }

    /// <summary>The parts in full, length included; of an array's, a range's and a multirange's only, empty: they take it from the whole,
    /// or have none.</summary>
    public required string[] PartFormats { get; init; }

    /// <summary>Of an enum.</summary>
    public required string[] Labels { get; init; }

    /// <summary>Name and version of the extension it belongs to.</summary>
    public required string? Extension { get; init; }

    /// <summary>Without the version.</summary>
    public string? ExtensionName => Extension?.Split(' ')[0];

    /// <summary>For a cast: qualified, so that no search_path and no keyword changes it, and without a length.</summary>
    public string Qualified => $"{SqlPart(Schema)}.{SqlPart(Name)}";

    /// <summary>A name behind a dot: plain where that is safe, for the sake of those who read the statements in a log.</summary>
    public static string SqlPart(string name) =>
        name.All(static c => c is (>= 'a' and <= 'z') or '_' or (>= '0' and <= '9')) && !char.IsDigit(name[0]) && name != "char" ? name : Sql.Name(name);
}
