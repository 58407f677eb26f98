using CsCheck;
using PgPool.Migration.Catalogs;
using Xunit;

namespace PgPool.Migration.Tests.Catalogs;

/// <summary>Up to seven tables, of which some are partitioned, and any foreign keys between them and their partitions.</summary>
public sealed class ForeignKeyOrderPropertyTests
{
    private const int Tables = 7;
    private const int Members = 3;

    private static readonly Gen<(int From, int To, bool IsChecked)[]> Keys =
        Gen.Select(
            Gen.Int[0, Tables * Members - 1], Gen.Int[0, Tables * Members - 1], Gen.Frequency((4, Gen.Const(true)), (1, Gen.Const(false))))
            .Array[0, 10];

    // From the later to the earlier tables only.
    private static readonly Gen<(int From, int To, bool IsChecked)[]> AcyclicKeys =
        Keys.Select(static keys => keys
            .Select(static key => (Math.Max(key.From, key.To), Math.Min(key.From, key.To), key.IsChecked)).ToArray());

    [Fact]
    public void Waves_WithoutACircle_PutEveryTableBehindItsReferences() => AcyclicKeys.SelectMany(Generators.Shuffled).Sample(static keys =>
    {
        var problems = new Problems();
        var waves = Order(keys).Waves(problems);

        Assert.Null(Generators.Told(problems));
        Assert.Equal(Enumerable.Range(0, Tables).Select(Oid), waves.Keys.Order());
        for (var table = 0; table < Tables; table++)
        {
            // No later than it must be, too: the longest way down to a table that refers to none.
            var others = References(keys)[table].Where(other => other != table).ToList();
            Assert.Equal(others.Count == 0 ? 0 : others.Max(other => waves[Oid(other)].Wave) + 1, waves[Oid(table)].Wave);
            Assert.Equal(References(keys)[table].Contains(table), waves[Oid(table)].IsIndivisible);
        }
    }, iter: 300);

    [Fact]
    public void Waves_AnyKeys_TellExactlyTheTablesOfCircles() => Keys.Sample(static keys =>
    {
        var problems = new Problems();
        Order(keys).Waves(problems);

        // In a circle, or on the way from one circle to another: of those nothing can be filled first either.
        var reach = Reach(keys);
        var circle = Enumerable.Range(0, Tables).Where(table => reach[table, table]).ToList();
        var among = Enumerable.Range(0, Tables).Where(table => circle.Contains(table)
            || (circle.Exists(other => reach[other, table]) && circle.Exists(other => reach[table, other]))).ToList();
        var told = Generators.Told(problems);
        if (among.Count == 0)
            Assert.Null(told);
        else
        {
            var names = among.Select(static table => $"\"public\".\"t{table}\"");
            Assert.Contains($"form a circle among {string.Join(", ", names)};", told, StringComparison.Ordinal);
        }
    }, iter: 1000);

    [Fact]
    public void CheckTruncate_AnyKeys_RefusesTheReferredTo() => Gen.Select(Keys, Gen.Bool.Array[Tables]).Sample(static (keys, empties) =>
    {
        var copies = Enumerable.Range(0, Tables)
            .Select(table => new TableCopy($"t{table}") { Mode = empties[table] ? TargetMode.Truncate : TargetMode.Append }).ToList();
        var problems = new Problems();
        Order(keys).CheckTruncate(copies, Catalog, problems);

        // Whether a key is checked or not: TRUNCATE minds them all.
        var refused = keys.Where(key => empties[TableOf(key.To)] && !empties[TableOf(key.From)])
            .Select(key => TableOf(key.To)).ToHashSet();
        var told = Generators.Told(problems) ?? "";
        for (var table = 0; table < Tables; table++)
            Assert.Equal(refused.Contains(table), told.Contains($"- \"public\".\"t{table}\": ", StringComparison.Ordinal));
    });

    // Every third table is partitioned: the others' keys are all of the table itself.
    private static bool IsPartitioned(int table) => table % 3 == 0;

    private static int TableOf(int member) => member / Members;

    private static long Oid(int table) => table * 10L;

    private static long MemberOid(int member) => Oid(TableOf(member)) + (IsPartitioned(TableOf(member)) ? member % Members : 0);

    private static ForeignKeyOrder Order((int From, int To, bool IsChecked)[] keys) => new(
        [.. keys.Select(static (key, i) => new ForeignKeyOrder.Key(
            MemberOid(key.From), MemberOid(key.To), new TableName("public", $"t{TableOf(key.From)}"), $"k{i}",
            MemberOid(key.From) % 10 > 0, false, key.IsChecked))],
        Catalog);

    private static ILookup<int, int> References((int From, int To, bool IsChecked)[] keys) =>
        keys.Where(static key => key.IsChecked).ToLookup(static key => TableOf(key.From), static key => TableOf(key.To));

    private static bool[,] Reach((int From, int To, bool IsChecked)[] keys)
    {
        var reach = new bool[Tables, Tables];
        foreach (var pair in References(keys))
        {
            foreach (var to in pair.Where(to => to != pair.Key))
                reach[pair.Key, to] = true;
        }

        for (var by = 0; by < Tables; by++)
        {
            for (var from = 0; from < Tables; from++)
            {
                for (var to = 0; to < Tables; to++)
                    reach[from, to] |= reach[from, by] && reach[by, to];
            }
        }

        return reach;
    }

    private static DatabaseCatalog Catalog { get; } = new()
    {
        Facts = Generators.Facts(),
        Tables = [.. Enumerable.Range(0, Tables).Select(static table =>
            Generators.Table(Oid(table), $"t{table}", IsPartitioned(table) ? 'p' : 'r'))],
        MissingSchemas = new HashSet<string>(),
        Leaves = Array.Empty<CatalogTable>().ToLookup(static table => table.Oid),
        Members = Enumerable.Range(0, Tables * Members).Where(static member => IsPartitioned(TableOf(member)))
            .ToLookup(static member => Oid(TableOf(member)), MemberOid),
        Types = new Dictionary<long, CatalogType>(),
        Casts = new HashSet<(long, string)>(),
    };
}
