using CsCheck;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Checkpoints;

namespace PgPool.Migration.Tests;

/// <summary>What the property tests draw from.</summary>
internal static class Generators
{
    /// <summary>Names as a catalog may have them: with quotes, dots, backslashes, and letters of either case.</summary>
    public static Gen<string> Name { get; } =
        Gen.Char["aAbz_$09\"'\\ .,;:()-\n\täÄ中"].Array[1, 6].Select(static letters => new string(letters));

    /// <summary>Any text that PostgreSQL can hold.</summary>
    public static Gen<string> Text { get; } =
        Gen.OneOf(Gen.Char["'\\\"\n\r\t a1"].Array[0, 8], Gen.Char['\u0001', '\uD7FF'].Array[0, 8])
            .Select(static letters => new string(letters));

    public static Gen<TableName> TableName { get; } = Gen.Select(Name, Name, static (schema, name) => new TableName(schema, name));

    /// <summary>Names that differ from each other.</summary>
    public static Gen<string[]> Names(int least, int most) =>
        Name.Array[least, most].Select(static names => names.Select(static (name, i) => $"{name}{i}").ToArray());

    /// <summary>The same in another order.</summary>
    public static Gen<T[]> Shuffled<T>(IReadOnlyCollection<T> items) =>
        Gen.Double.Array[items.Count].Select(ranks =>
            items.Zip(ranks).OrderBy(static pair => pair.Second).Select(static pair => pair.First).ToArray());

    /// <summary>Bytes cut into chunks anywhere, some of them empty.</summary>
    public static Gen<byte[][]> Chunks(byte[] bytes) => Gen.Int[0, bytes.Length].Array[0, 12].Select(cuts =>
    {
        int[] all = [0, .. cuts.Order(), bytes.Length];
        return all.Zip(all.Skip(1), (from, to) => bytes[from..to]).ToArray();
    });

    public static TablePlan Plan(TableCopy copy, params Relation[] relations) => new()
    {
        Copy = copy,
        Columns = [],
        Format = CopyFormat.Binary,
        SourceKey = [],
        TargetKey = [],
        Relations = relations,
        Definition = new Dictionary<string, string>(),
    };

    public static CatalogColumn Column(
        string name, CatalogType type, bool isNotNull = false, bool isGenerated = false, bool hasDefault = false) =>
        new()
        {
            Name = name,
            Type = type.Oid,
            FormattedType = type.Formatted,
            IsNotNull = isNotNull,
            IsGenerated = isGenerated,
            IsIdentityAlways = false,
            HasDefault = hasDefault,
            MaySelect = true,
            MayInsert = true,
            MayUpdate = true,
        };

    public static CatalogTable Table(long oid, string name, char kind = 'r', params CatalogColumn[] columns)
    {
        var table = new CatalogTable
        {
            Oid = oid,
            Name = new TableName("public", name),
            Kind = kind,
            Bytes = 0,
            Blocks = 0,
            MayUseSchema = true,
            MayTruncate = true,
            HasRowSecurity = false,
        };
        table.Columns.AddRange(columns);
        return table;
    }

    public static ServerFacts Facts(
        string server = "s", string role = "r", long database = 1, int version = 18, string encoding = "UTF8") =>
        new()
        {
            Version = version,
            Role = role,
            Database = $"d{database}",
            DatabaseOid = database,
            Encoding = encoding,
            Server = server,
            IsReadOnly = false,
            TimeZone = "UTC",
            MoneyLocale = "C",
            MoneyUnit = 100,
        };

    /// <summary>What a preflight would say; null: nothing.</summary>
    public static string? Told(Problems problems)
    {
        try
        {
            problems.ThrowIfAny();
            return null;
        }
        catch (MigrationException e)
        {
            return e.Message;
        }
    }

    /// <summary>A run as it goes: in each state one more partition is done than in the one before, or one is cut in two.</summary>
    public static Gen<RunCounts[]> Course { get; } = Gen.Select(Gen.Int[0, 1000].Array[1, 8], Gen.Bool.Array[12], static (sizes, splits) =>
    {
        var total = sizes.Sum(static size => (long)size);
        var counts = new RunCounts(0, sizes.Length, 0, total);
        List<RunCounts> course = [counts];
        Queue<long> left = new(sizes.Select(static size => (long)size));
        foreach (var split in splits.Concat(Enumerable.Repeat(false, 20)).TakeWhile(_ => left.Count > 0))
        {
            var size = left.Dequeue();
            if (split)
            {
                left.Enqueue(size / 2);
                left.Enqueue(size - size / 2);
                counts = counts with { Total = counts.Total + 1 };
            }
            else
                counts = counts with { Done = counts.Done + 1, DoneBytes = counts.DoneBytes + size };
            course.Add(counts);
        }

        return course.ToArray();
    });
}
