using System.Globalization;
using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Partitions;

/// <summary>Partitions by the blocks of the heap.</summary>
internal static class BlockRanges
{
    /// <summary>Cuts a relation into at most <paramref name="count"/> ranges of as many blocks.</summary>
    public static IReadOnlyList<Partition> Cut(TablePlan table, Relation relation, long count)
    {
        // Rounded up: the last partition is the smallest.
        var size = Math.Max(1, (relation.Blocks + count - 1) / count);
        List<Partition> partitions = [];
        for (var first = 0L; first < relation.Blocks; first += size)
        {
            var next = first + size;
            partitions.Add(new(table, relation, PartitionKind.Blocks,
                first == 0 ? null : Text(first), next >= relation.Blocks ? null : Text(next), Share(first, Math.Min(next, relation.Blocks))));
        }

        return partitions;

        // TOAST is taken to be spread evenly. By differences, so that the sum is exact.
        long Share(long from, long to) => Before(to) - Before(from);

        long Before(long block) => (long)((Int128)relation.Bytes * block / relation.Blocks);
    }

    /// <summary>The block that halves a partition; null where it has but one.</summary>
    public static async Task<string?> MiddleAsync(ConnectionLease source, Partition partition, CancellationToken cancellationToken)
    {
        var first = Number(partition.Lower) ?? 0;
        var end = Number(partition.Upper) ?? await CountAsync(source, partition.Relation, cancellationToken).ConfigureAwait(false);
        var middle = first + ((end - first) / 2);
        return middle > first ? Text(middle) : null;
    }

    // As the relation is now: it may have grown since the plan was made, and all that is new is in the last partition.
    private static async Task<long> CountAsync(ConnectionLease source, Relation relation, CancellationToken cancellationToken)
    {
        var command = source.Command(
            "SELECT pg_catalog.pg_relation_size($1::pg_catalog.regclass) / pg_catalog.current_setting('block_size')::bigint", relation.Name.ToString());
        await using (command.ConfigureAwait(false))
            return await command.ScalarAsync<long>(cancellationToken).ConfigureAwait(false);
    }

    private static long? Number(string? bound) => bound is null ? null : long.Parse(bound, CultureInfo.InvariantCulture);

    private static string Text(long block) => block.ToString(CultureInfo.InvariantCulture);
}
