using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Checkpoints;

/// <summary>A partition's row, locked by who claimed it.</summary>
/// <param name="Number">Its number in the run.</param>
/// <param name="Table">The source table's name as <see cref="TableName.ToString"/> writes it.</param>
/// <param name="Relation">The relation its rows are in.</param>
/// <param name="Kind">What the bounds are.</param>
/// <param name="Lower">See <see cref="Partition.Lower"/>.</param>
/// <param name="Upper">See <see cref="Partition.Upper"/>.</param>
/// <param name="Bytes">As planned.</param>
/// <param name="Position">How far an update in place has come within it: the last key that is done.</param>
internal sealed record ClaimedPartition(
    int Number, string Table, TableName Relation, PartitionKind Kind, string? Lower, string? Upper, long Bytes, string? Position)
{
    /// <summary>The partition, of a plan that was found to be the stored one.</summary>
    /// <exception cref="MigrationException">The table has no such relation: it changed while the run works.</exception>
    public Partition Of(TablePlan table)
    {
        var relation = table.Relations.FirstOrDefault(relation => relation.Name == Relation) ?? throw new MigrationException(
            $"{Relation}, of which rows are to be copied, is no partition of {table.Source} any more: it was renamed, detached or dropped while the run "
            + "worked. Run the same id again: it then goes on with the partitions that there are.")
        {
            Table = table.Source,
        };
        return new(table, relation, Kind, Lower, Upper, Bytes) { Number = Number };
    }
}
