using CsCheck;
using PgPool.Migration.Catalogs;
using Xunit;

namespace PgPool.Migration.Tests.Catalogs;

public sealed class ColumnMatchPropertyTests
{
    private static readonly DatabaseCatalog Catalog = CatalogOf("UTF8");

    // Up to six columns, each of them in either table or in both, and what the target's are like.
    private static readonly Gen<Given[]> Columns = Gen.Select(
        Generators.Names(1, 6), Gen.Select(Gen.Int[0, 5], Gen.Bool, Gen.Bool, Gen.Int[0, 3]).Array[6],
        static (names, traits) => names.Zip(traits, static (name, traits) => new Given(
            name, traits.Item1 != 0, traits.Item1 != 1, traits.Item2, traits.Item3, traits.Item4 == 0)).ToArray());

    [Fact]
    public void Match_AllColumns_TakesTheSourcesOrderAndLeavesNothingOut() =>
        Columns.SelectMany(given => Generators.Shuffled(given).Select(target => (given, target))).Sample(static (given, target) =>
        {
            var problems = new Problems();
            var match = new ColumnMatch(Catalog, Catalog, problems).Match(new TableCopy("t"), Source(given), Target(target), writes: true);

            var expected = given.Where(static column => column is { InSource: true, InTarget: true, IsGenerated: false })
                .Select(static column => column.Name).ToList();
            Assert.Equal(expected, match.Columns.Select(static column => column.Name));
            Assert.All(match.Columns, static column => Assert.Equal(Sql.Name(column.Name), column.Read));

            // What the source has is copied, and what the target needs is given to it; or it is told.
            var told = Generators.Told(problems) ?? "";
            foreach (var column in given)
            {
                var name = Sql.Name(column.Name);
                Assert.Equal(
                    column is { InSource: true, InTarget: false }, told.Contains($"lacks the column {name}", StringComparison.Ordinal));
                Assert.Equal(
                    column is { InSource: false, NeedsValue: true },
                    told.Contains($"the column {name} of the target", StringComparison.Ordinal));
            }

            var isGenerated = expected.Count == 0 && given.Any(static column => column.InSource)
                && given.All(static column => !column.InSource || column.InTarget);
            Assert.Equal(
                given.Any(static column => column is { InSource: true, InTarget: false } or { InSource: false, NeedsValue: true })
                    || isGenerated || given.All(static column => !column.InSource),
                told.Length > 0);
        }, iter: 500);

    [Fact]
    public void Match_OfAVerification_ComparesGeneratedColumnsTooAndNeedsNoValues() => Columns.Sample(static given =>
    {
        var problems = new Problems();
        var match = new ColumnMatch(Catalog, Catalog, problems).Match(new TableCopy("t"), Source(given), Target(given), writes: false);

        Assert.Equal(
            given.Where(static column => column is { InSource: true, InTarget: true }).Select(static column => column.Name),
            match.Columns.Select(static column => column.Name));
        Assert.DoesNotContain("NOT NULL", Generators.Told(problems) ?? "", StringComparison.Ordinal);
    });

    [Fact]
    public void Match_NamedColumns_AreThoseInTheSourcesOrderOrTold() =>
        Columns.SelectMany(given => Generators.Shuffled(given).Select(names => (given, names.Take(names.Length / 2 + 1).ToArray())))
        .Sample(static (given, named) =>
        {
            var problems = new Problems();
            var copy = new TableCopy("t") { Columns = [.. named.Select(static column => column.Name)] };
            var match = new ColumnMatch(Catalog, Catalog, problems).Match(copy, Source(given), Target(given), writes: true);

            Assert.Equal(
                given.Where(column => named.Contains(column) && column is { InSource: true, InTarget: true, IsGenerated: false })
                    .Select(static column => column.Name),
                match.Columns.Select(static column => column.Name));
            var told = Generators.Told(problems) ?? "";
            foreach (var column in given)
            {
                var isNamed = named.Contains(column);
                var name = Sql.Name(column.Name);
                Assert.Equal(isNamed && !column.InSource, told.Contains($"the source has no column {name}", StringComparison.Ordinal));
                Assert.Equal(isNamed && !column.InTarget, told.Contains($"\"t\" has no column {name}", StringComparison.Ordinal));
                Assert.Equal(
                    (isNamed && column is { InTarget: true, IsGenerated: true }) || (column.NeedsValue && !(isNamed && column.InSource)),
                    told.Contains($"the column {Sql.Name(column.Name)} of the target", StringComparison.Ordinal));
            }
        }, iter: 500);

    [Fact]
    public void Match_AnyTypes_IsBinaryOnlyWhereAllColumnsAndTheEncodingsAre() =>
        Gen.Select(Gen.OneOf(23L, 2205L).Array[1, 4], Gen.OneOf("UTF8", "LATIN1")).Sample(static (types, encoding) =>
        {
            CatalogColumn[] columns = [.. types.Select(static (type, i) => Generators.Column($"c{i}", Catalog.Types[type]))];
            var match = new ColumnMatch(Catalog, CatalogOf(encoding), new Problems())
                .Match(new TableCopy("t"), Generators.Table(1, "t", 'r', columns), Generators.Table(2, "t", 'r', columns), writes: true);

            Assert.Equal(encoding == "UTF8" && !types.Contains(2205) ? CopyFormat.Binary : CopyFormat.Text, match.Format);
        });

    private static DatabaseCatalog CatalogOf(string encoding) => TypeWorld.Catalog(
        new Dictionary<long, CatalogType> { [23] = Type(23, "int4"), [2205] = Type(2205, "regclass") }, [], 18, encoding);

    private static CatalogType Type(long oid, string name) => new()
    {
        Oid = oid,
        Schema = "pg_catalog",
        Name = name,
        Formatted = name,
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

    private static CatalogTable Source(Given[] given) =>
        Generators.Table(1, "t", 'r', [.. given.Where(static column => column.InSource)
            .Select(static column => Generators.Column(column.Name, Catalog.Types[23]))]);

    private static CatalogTable Target(Given[] given) => Generators.Table(2, "t", 'r', [.. given.Where(static column => column.InTarget)
        .Select(static column => Generators.Column(
            column.Name, Catalog.Types[23], column.IsNotNull, column.IsGenerated, column.HasDefault))]);

    private sealed record Given(string Name, bool InSource, bool InTarget, bool IsNotNull, bool HasDefault, bool IsGenerated)
    {
        public bool NeedsValue => this is { InTarget: true, IsNotNull: true, HasDefault: false, IsGenerated: false };
    }
}
