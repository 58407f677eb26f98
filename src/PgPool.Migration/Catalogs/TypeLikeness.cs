namespace PgPool.Migration.Catalogs;

/// <summary>Compares two types as they are, down to the parts that have none.</summary>
/// <remarks>
/// Domains count as what they are of: their conditions are checked as values are received. Enums go by their labels, whatever their
/// order. Composites have the same attributes, by name, in the same order: both forms know only the order. Whatever has no parts is
/// PostgreSQL's own, or of one extension (of one version for the binary form), or for text a type of the same name.
/// </remarks>
internal sealed class TypeLikeness(DatabaseCatalog source, DatabaseCatalog target)
{
    // Arrays and composites of user types carry these types' oids, which differ from database to database; from 14 on nobody minds.
    private readonly bool _ignoresOids = target.Facts.Version >= 14;

    /// <summary>The labels that enums of the target lack, as problems.</summary>
    public List<string> LostLabels(CatalogType from, CatalogType to)
    {
        List<string> lost = [];
        Compare(from, to, (wanted, labels) => lost.Add($"the enum {wanted.Formatted} lacks {string.Join(", ", labels.Select(Sql.Literal))} of the source's"));
        return lost;
    }

    public Likeness Compare(CatalogType from, CatalogType to) => Compare(from, to, static (_, _) => { });

    private Likeness Compare(CatalogType from, CatalogType to, Action<CatalogType, IReadOnlyList<string>> lost)
    {
        (from, to) = (source.BaseOf(from), target.BaseOf(to));
        if (from.Kind != to.Kind)
            return Likeness.None;
        switch (from.Kind)
        {
            case TypeKind.Enum:
                if (from.Labels.Except(to.Labels, StringComparer.Ordinal).ToList() is { Count: > 0 } labels)
                    lost(to, labels);
                return Likeness.Binary;
            case TypeKind.Array or TypeKind.Range or TypeKind.Multirange or TypeKind.Composite:
                return CompareParts(from, to, lost);
            default:
                return CompareSingle(from, to);
        }
    }

    private Likeness CompareSingle(CatalogType from, CatalogType to)
    {
        var isOneName = from.Name == to.Name && (from.ExtensionName is not null || to.ExtensionName is not null
            ? from.ExtensionName == to.ExtensionName : from.Schema == to.Schema && from.IsCore == to.IsCore);
        if (!isOneName)
            return Likeness.None;
        return (from.IsCore || (from.Extension is not null && from.Extension == to.Extension))
            && CoreTypes.IsBinaryAlike(from, source.Facts, target.Facts) && to.HasBinary
                ? Likeness.Binary : Likeness.Text;
    }

    private Likeness CompareParts(CatalogType from, CatalogType to, Action<CatalogType, IReadOnlyList<string>> lost)
    {
        if (!from.PartNames.SequenceEqual(to.PartNames, StringComparer.Ordinal))
            return Likeness.None;
        var worst = Likeness.Binary;
        foreach (var (part, wanted) in from.Parts.Zip(to.Parts, (part, wanted) => (source.Types[part], target.Types[wanted])))
        {
            var likeness = Compare(part, wanted, lost);
            var isOidSent = from.Kind is TypeKind.Array or TypeKind.Composite && !(IsCore(source, part) && IsCore(target, wanted));
            if (isOidSent && !_ignoresOids && likeness == Likeness.Binary)
                likeness = Likeness.Text;
            worst = likeness > worst ? likeness : worst;
        }

        return worst;
    }

    /// <summary>Whether a type has the same oid in every database.</summary>
    public static bool IsCore(DatabaseCatalog catalog, CatalogType type) => type.Kind switch
    {
        TypeKind.Base or TypeKind.Range or TypeKind.Multirange => type.IsCore,
        TypeKind.Array => IsCore(catalog, catalog.Types[type.Parts[0]]),
        _ => false,
    };
}
