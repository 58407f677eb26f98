using CsCheck;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Checkpoints;
using Xunit;
using Definitions = System.Collections.Generic.IReadOnlyDictionary<string, System.Collections.Generic.IReadOnlyDictionary<string, string>>;

namespace PgPool.Migration.Tests.Checkpoints;

public sealed class PlanComparisonPropertyTests
{
    // The last one may change without making rows that are done wrong.
    private static readonly string[] Parts = ["columns", "where", "bad rows"];

    // For each of a few tables, in or out, what a few parts of its definition are; "" is a part that is not there.
    private static readonly Gen<Definitions> Some = Gen.Select(Gen.Bool.Array[3], Gen.OneOf("", "a", "b\"").Array[9], (there, values) =>
        (Definitions)Enumerable.Range(0, 3).Where(i => there[i]).ToDictionary(
            static i => new TableName("public", $"t{i}").ToString(),
            i => (IReadOnlyDictionary<string, string>)Enumerable.Range(0, 3).Where(part => values[3 * i + part].Length > 0)
                .ToDictionary(static part => Parts[part], part => values[3 * i + part])));

    [Fact]
    public void Check_TheSamePlan_IsAcceptedInAnyOrder() =>
        Some.SelectMany(plan => Generators.Shuffled(Plans(plan)).Select(plans => (plan, plans)))
        .Sample(static (plan, plans) => PlanComparison.Check("r", Stored("copy", plan), "copy", plans));

    [Fact]
    public void Check_AnyTwoPlans_RefusesWhatMakesDoneRowsWrongAndTellsItOnce() =>
        Gen.Select(Some, Some, Gen.OneOf("copy", "transform"), Gen.Bool).Sample(static (stored, asked, kind, isDone) =>
        {
            List<string> expected = kind == "copy" ? [] : ["it was begun as copy, not transform"];
            expected.AddRange(asked.Keys.Except(stored.Keys).Select(static table => $"table {table} is new: "));
            foreach (var table in stored.Keys.Intersect(asked.Keys))
            {
                expected.AddRange(Parts[..2].Where(part => Value(stored, table, part) != Value(asked, table, part))
                    .Select(part => $"{part} of {table}: was \"{Value(stored, table, part)}\", is \"{Value(asked, table, part)}\": "));
            }

            var missing = stored.Keys.Except(asked.Keys).Select(table => $"table {table} is missing, and is {(isDone ? "" : "not ")}done").ToList();
            var isRefused = expected.Count > 0 || (missing.Count > 0 && !isDone);

            var refused = Record.Exception(() => PlanComparison.Check("r", Stored("copy", stored, isDone), kind, Plans(asked)));

            Assert.Equal(isRefused, refused is not null);
            if (refused is null)
                return;
            expected.AddRange(missing);
            var told = Assert.IsType<MigrationException>(refused).Message.Split('\n')[1..^1];
            Assert.Equal(expected.Count, told.Length);
            Assert.All(expected, line => Assert.Single(told, other => other.StartsWith($"- {line}", StringComparison.Ordinal)));
        }, iter: 500);

    [Fact]
    public void Of_OneColumnThatReadsLikeTwo_IsAnotherPlan() =>
        Gen.Select(Generators.Names(2, 4), Gen.OneOf(", ", "\", \"", "\"\", \"\"", ",")).Sample(static (names, glue) =>
        {
            string[] glued = [names[0] + glue + names[1], .. names[2..]];
            Assert.NotEqual(Definition(names)["columns"], Definition(glued)["columns"]);
            Assert.NotEqual(Definition(names)["source schema"], Definition(glued)["source schema"]);
        });

    [Fact]
    public void Of_AnotherColumnOfTheTable_ChangesNothingUnlessItIsCopied() => Generators.Names(2, 5).Sample(static names =>
    {
        var (copied, all) = (names[1..], names);
        Assert.Equal(Definition(copied, copied), Definition(copied, all));
        Assert.NotEqual(Definition(copied, copied)["source schema"], Definition(all, all)["source schema"]);
    });

    private static IReadOnlyDictionary<string, string> Definition(string[] columns, string[]? all = null)
    {
        CatalogColumn[] have = [.. (all ?? columns).Distinct().Select(static name => Generators.Column(name, Int4))];
        var table = Generators.Table(1, "t", 'r', have);
        var copied = columns.Select(static name => new CopyColumn(name, Sql.Name(name), "integer")).ToList();
        return PlanDefinition.Of(new TableCopy("t"), table, [], table, copied, null);
    }

    private static CatalogType Int4 => new()
    {
        Oid = 23,
        Schema = "pg_catalog",
        Name = "int4",
        Formatted = "integer",
        Kind = TypeKind.Base,
        IsCore = true,
        IsString = false,
        HasBinary = true,
        IsNotNull = false,
        HasDefault = false,
        Parts = [],
        PartNames = [],
        PartFormats = [],
        Labels = [],
        Extension = null,
    };

    private static string Value(Definitions plan, string table, string part) => plan[table].GetValueOrDefault(part, "");

    private static StoredRun Stored(string kind, Definitions plan, bool isDone = false) => new(
        kind, 1, plan, plan.Keys.ToLookup(static table => table, table => new StoredRelation(TableName.Parse(table), isDone ? 2 : 1, isDone ? 0 : 1, 0)), [], null);

    private static TablePlan[] Plans(Definitions plan) =>
        [.. plan.Select(static pair => Generators.Plan(new TableCopy(pair.Key)) with { Definition = pair.Value })];
}
