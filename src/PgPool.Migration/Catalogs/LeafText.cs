using System.Globalization;
using System.Text.RegularExpressions;

namespace PgPool.Migration.Catalogs;

/// <summary>What is compared of values that have no parts.</summary>
internal sealed partial class LeafText(ServerFacts source, ServerFacts target)
{
    // From then on a float prints the shortest text that is read back as it; before, all of its digits.
    private const int ShortestFloats = 12;

    private readonly bool _floatsPrintAlike = source.Version >= ShortestFloats == target.Version >= ShortestFloats;

    /// <param name="from">SQL for the source's value, cast to the target's type if need be.</param>
    /// <param name="use">Its type.</param>
    /// <param name="to">SQL for the target's value.</param>
    /// <param name="wanted">Its type.</param>
    public Texts Of(string from, TypeUse use, string to, TypeUse wanted)
    {
        var isCore = wanted.Type is { IsCore: true, Kind: TypeKind.Base };
        var rounded = isCore && use.Format != wanted.Format ? Rounded(from, wanted) : from;
        if (!isCore || Canonical(wanted.Type.Name, rounded) is not { } source)
            return new(rounded, to, rounded == from);
        return new(source, Canonical(wanted.Type.Name, to)!, IsPlain: false);
    }

    // Not where a value is refused, and not where that could fail: rows that the target has refused are read too.
    private static string Rounded(string value, TypeUse wanted)
    {
        switch (wanted.Type.Name)
        {
            case "numeric" when ScaleFormat.Match(wanted.Format) is { Success: true } match:
                return $"pg_catalog.round({value}, {match.Groups[1].Value})";
            case "varchar" when LengthFormat.Match(wanted.Format) is { Success: true } match:
                // Blanks that are too many are dropped.
                var length = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
                return $"CASE WHEN pg_catalog.rtrim(pg_catalog.substr({value}, {length + 1})) = '' THEN pg_catalog.left({value}, {length}) ELSE {value} END";
            case "time" or "timetz" or "timestamp" or "timestamptz" or "interval" when wanted.Format != wanted.Type.Formatted:
                return $"{value}::{wanted.Format}";
            default:
                return value;
        }
    }

    // The same for the same value, with any version, locale and length; null: the value itself is.
    private string? Canonical(string type, string value) => type switch
    {
        // Without the padding.
        "bpchar" => $"{value}::pg_catalog.text",
        "money" => $"{value}::pg_catalog.numeric",

        // PostgreSQL 15 escapes what is no ASCII.
        "char" => $"{value}::pg_catalog.int4",

        // What comes after a declaration that is not sent is: each time less a line feed.
        "xml" => $"pg_catalog.ltrim(pg_catalog.xml_out({value})::pg_catalog.text, E'\\n')",
        "float4" or "float8" when !_floatsPrintAlike =>
            $"CASE WHEN {value} <> 'NaN' THEN pg_catalog.{type}send({value}) WHEN {value} = 'NaN' THEN ''::pg_catalog.bytea END",
        "polygon" when !_floatsPrintAlike => $"pg_catalog.poly_send({value})",
        "point" or "line" or "lseg" or "box" or "path" or "circle" when !_floatsPrintAlike => $"pg_catalog.{type}_send({value})",
        _ => null,
    };

    [GeneratedRegex(@"^numeric\(\d+,(-?\d+)\)$")]
    private static partial Regex ScaleFormat { get; }

    [GeneratedRegex(@"^character varying\((\d+)\)$")]
    private static partial Regex LengthFormat { get; }
}
