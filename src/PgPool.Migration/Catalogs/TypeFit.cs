namespace PgPool.Migration.Catalogs;

/// <summary>Whether a column's values are understood by the target, and how they have to be sent for that.</summary>
/// <remarks>
/// Values of a binary COPY carry no type: a bigint is taken for a timestamp, or for a double, without an error. So binary is only what is proven, type
/// by type down to the core ones; names of user types prove nothing and are not asked for.
/// </remarks>
internal sealed class TypeFit(DatabaseCatalog source, DatabaseCatalog target)
{
    // Arrays and composites of user types carry these types' oids, which differ from database to database; from 14 on nobody minds.
    private readonly bool _ignoresOids = target.Facts.Version >= 14;

    public ColumnFit Fit(CatalogColumn from, CatalogColumn to)
    {
        var (type, wanted) = (source.Types[from.Type], target.Types[to.Type]);
        var isSame = from.FormattedType == to.FormattedType;
        List<string> lost = [];
        var likeness = Compare(type, wanted, lost);
        if (lost.Count > 0)
        {
            return new(null, false, $"the enum {wanted.Formatted} lacks {string.Join(", ", lost.Select(Sql.Literal))} of the source's",
                $"add with ALTER TYPE {wanted.Formatted} ADD VALUE");
        }

        if (isSame && likeness == Likeness.Binary)
            return new(null, true);
        var wantedBase = target.BaseOf(wanted);
        if (IsCore(target, wantedBase) && IsAssignable(source.BaseOf(type), wantedBase))
            return new(wantedBase.Qualified, IsSentAlike(target, wantedBase));
        if (likeness == Likeness.Binary)
            return new(null, true);
        if (isSame && likeness == Likeness.Unproven)
            return new(null, false);
        return new(null, false, $"types do not fit: it is {from.FormattedType} in the source, {to.FormattedType} in the target",
            isSame
                ? "make them of the same parts"
                : $"PostgreSQL would not assign one to the other: change one of the types, or convert with {nameof(MigrationRun)}.TransformAsync");
    }

    /// <param name="from">The source's type.</param>
    /// <param name="to">The target's type.</param>
    /// <param name="lost">Gets the labels of enums that the target's lack.</param>
    private Likeness Compare(CatalogType from, CatalogType to, List<string> lost)
    {
        // A domain is sent as what it is of; its conditions are checked as it is received.
        (from, to) = (source.BaseOf(from), target.BaseOf(to));
        if (from.Kind != to.Kind)
            return Likeness.Unproven;
        switch (from.Kind)
        {
            case TypeKind.Enum:
                lost.AddRange(from.Labels.Except(to.Labels, StringComparer.Ordinal));
                return Likeness.Binary;
            case TypeKind.Array or TypeKind.Range or TypeKind.Multirange or TypeKind.Composite:
                return CompareParts(from, to, lost);
            default:
                var isKnown = (from.IsCore && to.IsCore) || (from.Extension is not null && from.Extension == to.Extension);
                return isKnown && from.Name == to.Name && IsSentAlike(source, from) && IsSentAlike(target, to) ? Likeness.Binary : Likeness.Unproven;
        }
    }

    private Likeness CompareParts(CatalogType from, CatalogType to, List<string> lost)
    {
        if (from.Parts.Length != to.Parts.Length)
            return Likeness.None;
        var worst = Likeness.Binary;
        foreach (var (part, wanted) in from.Parts.Zip(to.Parts, (part, wanted) => (source.Types[part], target.Types[wanted])))
        {
            var likeness = Compare(part, wanted, lost);
            var isOidSent = from.Kind is TypeKind.Array or TypeKind.Composite && !(IsCore(source, part) && IsCore(target, wanted));
            if (isOidSent && !_ignoresOids && likeness == Likeness.Binary)
                likeness = Likeness.Unproven;
            worst = likeness > worst ? likeness : worst;
        }

        return worst;
    }

    // As PostgreSQL decides about INSERT … SELECT.
    private bool IsAssignable(CatalogType from, CatalogType to)
    {
        if (from.IsCore && from.Kind == to.Kind && from.Name == to.Name)
            return true;

        // Whatever is longer is cut without a word by these two.
        if (to.Name is "name" or "char")
            return false;
        if (to.IsString || source.Casts.Contains((from.Oid, to.Name)))
            return true;
        return from.Kind == TypeKind.Array && to.Kind == TypeKind.Array
            && IsAssignable(source.BaseOf(source.Types[from.Parts[0]]), target.Types[to.Parts[0]]);
    }

    private static bool IsCore(DatabaseCatalog catalog, CatalogType type) => type.Kind switch
    {
        TypeKind.Base or TypeKind.Range or TypeKind.Multirange => type.IsCore,
        TypeKind.Array => IsCore(catalog, catalog.Types[type.Parts[0]]),
        _ => false,
    };

    // A reg… type is sent as an oid, which is another object's elsewhere, and printed as a name. An empty vector is sent, and refused where it is received.
    private static bool IsSentAlike(DatabaseCatalog catalog, CatalogType type) =>
        type.HasBinary
        && !(type.IsCore && (type.Name.StartsWith("reg", StringComparison.Ordinal) || type.Name is "int2vector" or "oidvector"))
        && (type.Kind != TypeKind.Array || IsSentAlike(catalog, catalog.Types[type.Parts[0]]));
}
