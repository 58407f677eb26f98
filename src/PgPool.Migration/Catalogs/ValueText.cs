namespace PgPool.Migration.Catalogs;

/// <summary>The rule by which values of both sides are compared: SQL whose text is the same where the target's value is what
/// <see cref="TypeFit"/> makes of the source's.</summary>
/// <remarks>
/// A value prints itself, as its type's output function has it, under <see cref="SessionSettings"/>. Not so: what the target's type has
/// rounded, and what prints the same value otherwise with another version, locale or length. Where such a type is in an array, a range or
/// a composite, that is taken apart; composites by the names of their attributes.
/// </remarks>
internal sealed class ValueText(DatabaseCatalog source, DatabaseCatalog target, TypeFit fit)
{
    private readonly LeafText _leaves = new(source.Facts, target.Facts);

    public (string Source, string Target) Of(CatalogColumn from, CatalogColumn to)
    {
        var name = Sql.Name(from.Name);
        var texts = Compare(new(name, source.Use(from), source), new(name, target.Use(to), target));
        return (texts.Source, texts.Target);
    }

    private Texts Compare(Value from, Value to)
    {
        (from, to) = (from.Base, to.Base);
        if (from.Catalog == source && fit.CastBetween(from.Use.Type, to.Use.Type) is { } cast)
            from = new($"{from.Sql}::{cast}", new(to.Use.Type, to.Use.Type.Formatted), target);
        if (from.Use.Type.Kind != to.Use.Type.Kind)
            return new(from.Sql, to.Sql, IsPlain: true);
        return to.Use.Type.Kind switch
        {
            TypeKind.Composite => Composite(from, to),
            TypeKind.Array => Parts(from, to, static (value, part) =>
                $"ROW(pg_catalog.array_dims({value}), ARRAY(SELECT {part} FROM (SELECT pg_catalog.unnest({value}) AS x) u))"),
            TypeKind.Multirange => Parts(from, to, static (value, part) =>
                $"ARRAY(SELECT ROW({Bounds("r", part)}) FROM (SELECT pg_catalog.unnest({value}) AS r) u)"),
            TypeKind.Range => Parts(from, to, static (value, part) => $"ROW({Bounds(value, part)})"),
            _ => _leaves.Of(from.Sql, from.Use, to.Sql, to.Use),
        };
    }

    private Texts Composite(Value from, Value to)
    {
        var (names, wanted) = (from.Use.Type.PartNames, to.Use.Type.PartNames);
        List<Texts> parts = [.. wanted.Order(StringComparer.Ordinal).Select(
            name => Compare(from.Part(Array.IndexOf(names, name), Attribute(from, name)), to.Part(Array.IndexOf(wanted, name), Attribute(to, name))))];
        if (parts.TrueForAll(static part => part.IsPlain) && names.SequenceEqual(wanted))
            return new(from.Sql, to.Sql, IsPlain: true);
        return new(
            Unless(from, $"ROW({string.Join(", ", parts.Select(static part => part.Source))})"),
            Unless(to, $"ROW({string.Join(", ", parts.Select(static part => part.Target))})"),
            IsPlain: false);

        static string Attribute(Value value, string name) => $"({value.Sql}).{Sql.Name(name)}";
    }

    // What is written of a part "x" is written of each.
    private Texts Parts(Value from, Value to, Func<string, string, string> write)
    {
        var part = Compare(from.Part(0, "x"), to.Part(0, "x"));
        return part.IsPlain
            ? new(from.Sql, to.Sql, IsPlain: true)
            : new(Unless(from, write(from.Sql, part.Source)), Unless(to, write(to.Sql, part.Target)), IsPlain: false);
    }

    private static string Bounds(string range, string part) => $"""
        pg_catalog.isempty({range}), pg_catalog.lower_inc({range}), pg_catalog.upper_inc({range}),
        (SELECT {part} FROM (SELECT pg_catalog.lower({range}) AS x) u), (SELECT {part} FROM (SELECT pg_catalog.upper({range}) AS x) u)
        """;

    private static string Unless(Value value, string text) => $"CASE WHEN {value.Sql} IS DISTINCT FROM NULL THEN {text} END";

    /// <summary>SQL for a value, its type, and whose type that is.</summary>
    private readonly record struct Value(string Sql, TypeUse Use, DatabaseCatalog Catalog)
    {
        public Value Base => this with { Use = Catalog.BaseOf(Use) };

        public Value Part(int number, string sql) => new(sql, Catalog.Part(Use, number), Catalog);
    }
}
