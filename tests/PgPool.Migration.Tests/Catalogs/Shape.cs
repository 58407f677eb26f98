using CsCheck;
using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Tests.Catalogs;

/// <summary>A type told by what it is made of, from which the catalogs of two databases are built.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name; of a user type in schema public.</param>
/// <param name="Parts">What it is made of.</param>
/// <param name="Labels">Of an enum.</param>
internal sealed record Shape(TypeKind Kind, string Name, Shape[] Parts, string[] Labels)
{
    // regclass and int2vector have a binary form that does not mean the same elsewhere; aclitem has none.
    private static readonly Gen<Shape> Base =
        Gen.OneOf("int4", "int8", "text", "numeric", "timestamptz", "regclass", "int2vector", "aclitem")
            .Select(static name => new Shape(TypeKind.Base, name, [], []));

    private static readonly Gen<Shape> Enum =
        Gen.Bool.Array[3].Select(static there =>
            new Shape(TypeKind.Enum, "mood", [], [.. "abc".Where((_, i) => there[i]).Select(static c => $"{c}")]));

    /// <summary>Any type, up to three levels deep.</summary>
    public static Gen<Shape> Any { get; } = Deeper(Deeper(Gen.OneOf(Base, Enum)));

    public bool IsCore => Kind == TypeKind.Base || (Kind == TypeKind.Array && Parts[0].IsCore);

    public bool HasBinary => Name != "aclitem";

    /// <summary>As format_type prints it.</summary>
    public string Formatted => Kind == TypeKind.Array ? $"{Parts[0].Formatted}[]" : IsCore ? Name : $"public.{Name}";

    /// <summary>Below all domains.</summary>
    public Shape Undressed => Kind == TypeKind.Domain ? Parts[0].Undressed : this;

    /// <summary>All that it is made of, itself too.</summary>
    public IEnumerable<Shape> All => Parts.SelectMany(static part => part.All).Prepend(this);

    /// <summary>Adds the type to a catalog's.</summary>
    /// <returns>Its oid.</returns>
    public long Register(Dictionary<long, CatalogType> types)
    {
        var parts = Parts.Select(part => part.Register(types)).ToArray();
        var oid = types.Count + 1L;
        types[oid] = new CatalogType
        {
            Oid = oid,
            Schema = IsCore ? "pg_catalog" : "public",
            Name = Name,
            Formatted = Formatted,
            Kind = Kind,
            IsCore = IsCore,
            IsString = Name == "text",
            HasBinary = HasBinary,
            IsNotNull = false,
            HasDefault = false,
            Parts = parts,
            PartNames = Kind == TypeKind.Composite ? [.. Parts.Select(static (_, i) => $"a{i}")] : [],
            PartFormats = [.. Parts.Select(static part => part.Formatted)],
            Labels = Labels,
            Extension = null,
        };
        return oid;
    }

    private static Gen<Shape> Deeper(Gen<Shape> inner) => Gen.Frequency(
        (3, inner),
        (2, inner.Where(static part => part.Undressed.Kind != TypeKind.Array)
            .Select(static part => new Shape(TypeKind.Array, $"_{part.Name}", [part], []))),
        (1, inner.Select(static part => new Shape(TypeKind.Domain, $"{part.Name}_domain", [part], []))),
        (1, inner.Array[1, 3].Select(static parts => new Shape(TypeKind.Composite, "pair", parts, []))));
}
