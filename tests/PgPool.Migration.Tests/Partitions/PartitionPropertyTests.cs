using System.Globalization;
using CsCheck;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;
using Xunit;

namespace PgPool.Migration.Tests.Partitions;

/// <summary>The ranges of a plan cover everything, once, in order. What needs no query needs no lease.</summary>
public sealed class PartitionPropertyTests
{
    private static readonly Gen<Relation> Relation = Gen.Select(
        Generators.TableName, Gen.Long[0, 1L << 45], Gen.OneOf(Gen.Long[1, 50], Gen.Long[1, uint.MaxValue - 1]), Generators.Name,
        static (name, bytes, blocks, key) => new Relation(name, bytes, blocks, new KeyColumn(key, "text")));

    private static readonly TableCopy ByBlocks = new("t") { PartitionBy = PartitionBy.Blocks };

    // Sorted as the server sorts them, each with its share.
    private static readonly Gen<(string Bound, long Share)[]> Bounds = Gen.Select(Generators.Text.Array[0, 6], Gen.Long[1, 9].Array[6],
        static (bounds, steps) => bounds.Distinct().Order(StringComparer.Ordinal)
            .Select((bound, i) => (bound, steps.Take(i + 1).Sum())).ToArray());

    [Fact]
    public void Cut_ByBlocks_CoversAllBlocksOnceInOrder() => Gen.Select(Relation, Gen.Long[1, 300]).Sample(static (relation, count) =>
    {
        var partitions = BlockRanges.Cut(Generators.Plan(ByBlocks, relation), relation, count);

        Assert.InRange(partitions.Count, 1, count);
        AssertBytes(relation, partitions);

        // The first has no lower bound and the last no upper one: a block that comes later is in the last one.
        var edge = 0L;
        for (var i = 0; i < partitions.Count; i++)
        {
            var (lower, upper) = ReadBlocks(partitions[i].Bounds);
            Assert.Equal(i == 0 ? null : edge, lower);
            Assert.Equal(i == partitions.Count - 1, upper is null);
            Assert.InRange(upper ?? relation.Blocks, edge + 1, relation.Blocks);
            edge = upper ?? edge;
        }
    });

    [Fact]
    public void Cut_ByBlocks_AreAllOfOneSizeButTheLast() => Gen.Select(Relation, Gen.Long[1, 300]).Sample(static (relation, count) =>
    {
        var sizes = BlockRanges.Cut(Generators.Plan(ByBlocks, relation), relation, count)
            .Select(partition => (Number(partition.Upper) ?? relation.Blocks) - (Number(partition.Lower) ?? 0)).ToList();

        Assert.All(sizes.SkipLast(1), size => Assert.Equal(sizes[0], size));
        Assert.InRange(sizes[^1], 1, sizes[0]);
        Assert.InRange(sizes[0], relation.Blocks / count, relation.Blocks / count + 1);
    });

    [Fact]
    public void Cut_ByKey_CoversAllValuesInOrder() => Gen.Select(Relation, Bounds, Gen.Long[1, 9]).Sample(static (relation, bounds, left) =>
    {
        var count = bounds.LastOrDefault().Share + left;
        var partitions = KeyRanges.Cut(Generators.Plan(new("t"), relation), relation, count, bounds);

        Assert.Equal([null, .. bounds.Select(static bound => bound.Bound)], partitions.Select(partition => ReadKeys(partition).Lower));
        Assert.Equal([.. bounds.Select(static bound => bound.Bound), null], partitions.Select(partition => ReadKeys(partition).Upper));
        AssertBytes(relation, partitions);

        // Each bound tells how much comes before it.
        var before = partitions.Take(bounds.Length / 2).Sum(static partition => partition.Bytes);
        var share = bounds.Length / 2 == 0 ? 0 : bounds[bounds.Length / 2 - 1].Share;
        Assert.Equal((Int128)relation.Bytes * share / count, before);
    });

    [Fact]
    public async Task PlanAsync_ByBlocks_CoversEachRelationLargestFirst() =>
        await Gen.Select(Relation.Array[0, 4], Gen.Long[1, 400]).SampleAsync(static async (relations, parts) =>
        {
            var named = relations.Select(static (relation, i) => relation with { Name = new TableName("public", $"t{i}") }).ToArray();
            var size = Math.Max(1, named.Sum(static relation => relation.Bytes) / parts);

            var partitions = await Partitioner.PlanAsync(null!, Generators.Plan(ByBlocks, named), size, default);

            Assert.Equal(partitions.OrderByDescending(static partition => partition.Bytes), partitions);
            var byRelation = partitions.ToLookup(static partition => partition.Relation);
            foreach (var relation in named)
            {
                var own = byRelation[relation].OrderBy(static partition => Number(partition.Lower) ?? -1).ToList();
                AssertBytes(relation, own);
                var uppers = own.Select(static partition => partition.Upper).ToList();
                Assert.Equal([null, .. uppers.SkipLast(1)], own.Select(static partition => partition.Lower));
                Assert.Null(own[^1].Upper);
                Assert.Equal(relation.Bytes <= size, own is [{ Kind: PartitionKind.Whole }]);
            }
        });

    [Fact]
    public async Task SplitAsync_BetweenTwoBlocks_HalvesCoverItUntilOneBlockIsLeft() =>
        await Gen.Select(Relation, Gen.Long[0, 1L << 31], Gen.Long[1, 1L << 31], Gen.Bool)
        .SampleAsync(static async (relation, first, blocks, right) =>
        {
            var table = Generators.Plan(ByBlocks, relation);
            var (lower, upper) = (Text(first), Text(first + blocks));
            var partition = new Partition(table, relation, PartitionKind.Blocks, lower, upper, relation.Bytes) { Number = 7 };
            var splits = 0;
            while (await Partitioner.SplitAsync(null!, partition, default) is var (left, other))
            {
                Assert.Equal((partition.Lower, left.Upper, partition.Upper), (left.Lower, other.Lower, other.Upper));
                Assert.Equal(partition.Bytes, left.Bytes + other.Bytes);
                Assert.Equal((0, 0), (left.Number, other.Number));
                Assert.InRange(Blocks(left) - Blocks(other), -1, 1);
                partition = right ? other : left;
                splits++;
            }

            Assert.Equal(1, Blocks(partition));
            Assert.InRange(splits, 0, 32);
        });

    [Fact]
    public void Condition_WithTheCallersOwn_IsBothInLines() => Gen.Select(Relation, Generators.Text).Sample(static (relation, where) =>
    {
        var plan = Generators.Plan(new TableCopy("t") { Where = where }, relation);
        var partition = new Partition(plan, relation, PartitionKind.Blocks, "3", "5", 0);

        Assert.Equal($"{partition.Bounds} AND (\n{where}\n)", partition.Condition);
        Assert.Equal(partition.Bounds, (partition with { Table = Generators.Plan(new("t"), relation) }).Condition);
    });

    private static void AssertBytes(Relation relation, IReadOnlyList<Partition> partitions)
    {
        Assert.All(partitions, static partition => Assert.True(partition.Bytes >= 0));
        Assert.Equal(relation.Bytes, partitions.Sum(static partition => partition.Bytes));
    }

    private static long Blocks(Partition partition) => Number(partition.Upper)!.Value - Number(partition.Lower)!.Value;

    private static long? Number(string? bound) => bound is null ? null : long.Parse(bound, CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static (long? Lower, long? Upper) ReadBlocks(string condition)
    {
        var (lower, upper) = Read(condition, static reader => reader.Expect("ctid"), "::tid");
        return (Block(lower), Block(upper));

        static long? Block(string? tid) => tid is null ? null : Number(tid[1..^",0)".Length]);
    }

    private static (string? Lower, string? Upper) ReadKeys(Partition partition) =>
        Read(partition.Bounds, reader => Assert.Equal(partition.Relation.Key!.Name, reader.Name()), "::text");

    // "column >= lower AND column < upper", either of them, or "true".
    private static (string? Lower, string? Upper) Read(string condition, Action<SqlReader> column, string cast)
    {
        string? lower = null;
        var reader = new SqlReader(condition);
        if (reader.TryTake("true"))
            return (null, null);
        column(reader);
        if (reader.TryTake(" >= "))
        {
            lower = Bound();
            if (reader.IsAtEnd)
                return (lower, null);
            reader.Expect(" AND ");
            column(reader);
        }

        reader.Expect(" < ");
        var upper = Bound();
        Assert.True(reader.IsAtEnd);
        return (lower, upper);

        string Bound()
        {
            var bound = reader.Literal();
            reader.Expect(cast);
            return bound;
        }
    }
}
