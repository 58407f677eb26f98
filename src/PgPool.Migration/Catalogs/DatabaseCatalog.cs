namespace PgPool.Migration.Catalogs;

/// <summary>What was read about the run's tables on one side.</summary>
internal sealed record DatabaseCatalog
{
    public required ServerFacts Facts { get; init; }

    /// <summary>The tables in the order they were asked for; null where there is none of that name.</summary>
    public required IReadOnlyList<CatalogTable?> Tables { get; init; }

    /// <summary>Schemas that were asked for and are not there.</summary>
    public required IReadOnlySet<string> MissingSchemas { get; init; }

    /// <summary>By the oid of a partitioned table: the relations below it, at any depth, that hold rows.</summary>
    public required ILookup<long, CatalogTable> Leaves { get; init; }

    /// <summary>By the oid of a partitioned table: it, and all below it, partitioned ones included.</summary>
    public required ILookup<long, long> Members { get; init; }

    /// <summary>By oid: the types of all columns, and what these are made of.</summary>
    public required IReadOnlyDictionary<long, CatalogType> Types { get; init; }

    /// <summary>The casts to core types that an assignment may use: the oid of the source type, the name of the core type.</summary>
    public required IReadOnlySet<(long From, string To)> Casts { get; init; }

    /// <summary>Where a table's rows are.</summary>
    public IReadOnlyList<CatalogTable> RelationsOf(CatalogTable table) => table.IsPartitioned ? [.. Leaves[table.Oid]] : [table];

    /// <summary>The oids of a table and its partitions.</summary>
    public IEnumerable<long> MembersOf(CatalogTable table) => table.IsPartitioned ? Members[table.Oid] : [table.Oid];

    /// <summary>A column's type.</summary>
    public TypeUse Use(CatalogColumn column) => new(Types[column.Type], column.FormattedType);

    /// <summary>The type below all domains.</summary>
    public CatalogType BaseOf(CatalogType type)
    {
        while (type.Kind == TypeKind.Domain)
            type = Types[type.Parts[0]];
        return type;
    }

    /// <summary>The type below all domains, with the length that they give it.</summary>
    public TypeUse BaseOf(TypeUse use)
    {
        while (use.Type.Kind == TypeKind.Domain)
            use = Part(use, 0);
        return use;
    }

    /// <summary>A part of a type: an array's element, a composite's attribute, …</summary>
    public TypeUse Part(TypeUse whole, int number)
    {
        var part = Types[whole.Type.Parts[number]];
        return whole.Type.Kind switch
        {
            // An array of any depth is printed with one pair of brackets.
            TypeKind.Array when whole.Format.EndsWith("[]", StringComparison.Ordinal) => new(part, whole.Format[..^2]),
            TypeKind.Domain or TypeKind.Composite => new(part, whole.Type.PartFormats[number]),
            _ => new(part, part.Formatted),
        };
    }

    /// <summary>Whether a type is, or is made of, such a type.</summary>
    public bool Contains(CatalogType type, Func<CatalogType, bool> isSuch) =>
        isSuch(type) || type.Parts.Any(part => Contains(Types[part], isSuch));
}
