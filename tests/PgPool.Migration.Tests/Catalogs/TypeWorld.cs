using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Tests.Catalogs;

/// <summary>One column's type on either side, and the two catalogs around it.</summary>
internal sealed class TypeWorld
{
    public TypeWorld(Shape from, Shape to, int targetVersion = 18)
    {
        (Source, FromColumn) = Of(from, 15);
        (Target, ToColumn) = Of(to, targetVersion);
    }

    public DatabaseCatalog Source { get; }

    public DatabaseCatalog Target { get; }

    public CatalogColumn FromColumn { get; }

    public CatalogColumn ToColumn { get; }

    public ColumnFit Fit() => new TypeFit(Source, Target).Fit(FromColumn, ToColumn);

    private static (DatabaseCatalog Catalog, CatalogColumn Column) Of(Shape shape, int version)
    {
        Dictionary<long, CatalogType> types = [];
        var oid = shape.Register(types);
        var casts = types.Values.Where(static type => type.IsCore && type.Name == "int4")
            .SelectMany(static type => new[] { (type.Oid, "int8"), (type.Oid, "numeric") });
        return (Catalog(types, casts, version), Generators.Column("c", types[oid]));
    }

    public static DatabaseCatalog Catalog(
        IReadOnlyDictionary<long, CatalogType> types, IEnumerable<(long From, string To)> casts, int version, string encoding = "UTF8") =>
        new()
        {
            Facts = Generators.Facts(version: version, encoding: encoding),
            Tables = [],
            MissingSchemas = new HashSet<string>(),
            Leaves = Array.Empty<CatalogTable>().ToLookup(static table => table.Oid),
            Members = Array.Empty<long>().ToLookup(static oid => oid),
            Types = types,
            Casts = casts.ToHashSet(),
        };
}
