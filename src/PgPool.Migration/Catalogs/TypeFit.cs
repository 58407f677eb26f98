namespace PgPool.Migration.Catalogs;

/// <summary>The rule by which a column's values get across, or are refused before the first of them.</summary>
/// <remarks>
/// A value arrives as an INSERT … SELECT by the target's session would have it. In this order:
/// <list type="number">
/// <item>Money arrives as money only where lc_monetary of both sides has as many decimals; it is converted by the side's own
/// lc_monetary.</item>
/// <item>Types that are alike (<see cref="TypeLikeness"/>) go as they are: in binary where the bytes are known to mean the same, else as
/// text under settings that are the same on both sides. Values of a binary COPY carry no type: a bigint is taken for a timestamp, or a
/// double, without an error. reg… types go by their names in full.</item>
/// <item>What PostgreSQL assigns to the target's type is cast in the source's query, without a length, as a cast would cut what the target
/// refuses. Between types with and without a zone by the target session's TimeZone. Objects (reg…) are cast to text only.</item>
/// <item>A composite is put together from its attributes by name, each by this rule, in the source's query; not one within an array or a
/// range.</item>
/// <item>Anything else is refused.</item>
/// </list>
/// </remarks>
internal sealed class TypeFit(DatabaseCatalog source, DatabaseCatalog target)
{
    private const string Convert = $"convert with {nameof(MigrationRun)}.{nameof(MigrationRun.TransformAsync)}";

    private readonly TypeLikeness _likeness = new(source, target);

    public ColumnFit Fit(CatalogColumn from, CatalogColumn to) => Fit(Sql.Name(from.Name), source.Use(from), target.Use(to));

    /// <summary>The type to which the source casts values of one type for a column of another, both below their domains; null: it does
    /// not.</summary>
    public string? CastBetween(CatalogType from, CatalogType to)
    {
        if (_likeness.Compare(from, to) != Likeness.None || !IsAssignable(from, to))
            return null;
        return to.Kind == TypeKind.Array ? $"pg_catalog.{CatalogType.SqlPart($"_{ElementOf(to).Name}")}" : to.Qualified;
    }

    private ColumnFit Fit(string read, TypeUse from, TypeUse to)
    {
        var (type, wanted) = (source.BaseOf(from).Type, target.BaseOf(to).Type);
        if (_likeness.LostLabels(type, wanted) is { Count: > 0 } lost)
            return Refused(string.Join(", ", lost), "add with ALTER TYPE … ADD VALUE");
        var toMoney = target.Contains(wanted, CoreTypes.IsMoney);
        if (toMoney && source.Facts.MoneyUnit != target.Facts.MoneyUnit)
            return Refused(OtherMoney(), "set the same lc_monetary for both, or make the target's numeric");

        var needs = source.Contains(type, CoreTypes.IsObject) ? ValueNeeds.FullNames : ValueNeeds.None;
        var likeness = _likeness.Compare(type, wanted);
        if (likeness != Likeness.None)
            return new(read, likeness, needs | (toMoney ? ValueNeeds.MoneyKept : ValueNeeds.None));
        if (CastBetween(type, wanted) is { } cast)
            return Cast(read, type, wanted, cast, needs);
        if (type.Kind == TypeKind.Composite && wanted.Kind == TypeKind.Composite)
            return Composed(read, source.BaseOf(from), target.BaseOf(to), needs);
        return Refused(
            $"types do not fit: it is {from.Format} in the source, {to.Format} in the target",
            from.Format == to.Format
                ? "make them of the same parts"
                : $"PostgreSQL would not assign one to the other: change one of the types, or {Convert}");
    }

    private ColumnFit Cast(string read, CatalogType from, CatalogType to, string cast, ValueNeeds needs)
    {
        var isText = to.IsString || (to.Kind == TypeKind.Array && ElementOf(to).IsString);
        if (target.Contains(to, CoreTypes.IsObject) || (needs.HasFlag(ValueNeeds.FullNames) && !isText))
        {
            return Refused(
                $"it is {from.Formatted} in the source, {to.Formatted} in the target: objects have other numbers in another database",
                $"make both one type, or text of the target's, or {Convert}");
        }

        if (Either(CoreTypes.IsZoned))
            needs |= ValueNeeds.TimeZone;
        if (Either(CoreTypes.IsMoney))
            needs |= ValueNeeds.MoneyConverted;
        var element = to.Kind == TypeKind.Array ? ElementOf(to) : to;
        var isBinary = CoreTypes.IsBinaryAlike(element, source.Facts, target.Facts)
            && (TypeLikeness.IsCore(target, to) || target.Facts.Version >= 14);
        return new($"{read}::{cast}", isBinary ? Likeness.Binary : Likeness.Text, needs);

        bool Either(Func<CatalogType, bool> isSuch) => source.Contains(from, isSuch) || target.Contains(to, isSuch);
    }

    // A record's text is a composite's. NULL is none of NULLs: IS NULL would take both for the same.
    private ColumnFit Composed(string read, TypeUse from, TypeUse to, ValueNeeds needs)
    {
        var (names, wanted) = (from.Type.PartNames, to.Type.PartNames);
        if (names.Except(wanted).Concat(wanted.Except(names)).ToList() is { Count: > 0 } others)
        {
            return Refused(
                $"the composite types {from.Format} and {to.Format} have not the same attributes ({Sql.Names(others)})",
                "make them of the same parts");
        }

        List<string> parts = [];
        foreach (var (number, name) in wanted.Index())
        {
            var fit = Fit($"({read}).{Sql.Name(name)}", source.Part(from, Array.IndexOf(names, name)), target.Part(to, number));
            if (fit.Problem is not null)
                return fit with { Problem = $"attribute {Sql.Name(name)} of {from.Format}: {fit.Problem}" };
            needs |= fit.Needs;
            parts.Add(fit.Read);
        }

        return new($"CASE WHEN {read} IS DISTINCT FROM NULL THEN ROW({string.Join(", ", parts)}) END", Likeness.Text, needs);
    }

    // As PostgreSQL decides about INSERT … SELECT, to its own types and arrays of them.
    private bool IsAssignable(CatalogType from, CatalogType to)
    {
        if (to.Kind == TypeKind.Array)
            return from.Kind == TypeKind.Array && IsAssignable(source.BaseOf(source.Types[from.Parts[0]]), ElementOf(to));

        // Whatever is longer is cut without a word by these two.
        if (!TypeLikeness.IsCore(target, to) || to.Name is "name" or "char")
            return false;
        return (from.IsCore && from.Kind == to.Kind && from.Name == to.Name) || to.IsString || source.Casts.Contains((from.Oid, to.Name));
    }

    private CatalogType ElementOf(CatalogType array) => target.BaseOf(target.Types[array.Parts[0]]);

    private string OtherMoney() =>
        $"money of the source has {Decimals(source.Facts)}, of the target {Decimals(target.Facts)}";

    private static string Decimals(ServerFacts facts) =>
        $"{facts.MoneyUnit.ToString(System.Globalization.CultureInfo.InvariantCulture).Length - 1} decimals (lc_monetary is {facts.MoneyLocale})";

    private static ColumnFit Refused(string problem, string cure) => new("NULL", Likeness.Text, ValueNeeds.None, problem, cure);
}
