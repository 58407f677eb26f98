using PgPool.Migration.Catalogs;
using PgPool.Migration.Checkpoints;
using PgPool.Migration.Copying;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Verifying;

/// <summary>The rows that a run has put aside, as pgpool_migration.rejected has them: found again in the source by their text.</summary>
internal sealed class RejectedRows
{
    private readonly Dictionary<string, Dictionary<string, long>> _rows = [];

    /// <param name="target">In the target's snapshot.</param>
    /// <param name="runId">Whose rows.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<RejectedRows> ReadAsync(SnapshotGroup target, string runId, CancellationToken cancellationToken)
    {
        var rejected = new RejectedRows();
        await target.ForEachAsync([0], async (lease, _, token) =>
        {
            rejected._rows.Clear();
            if (!await StoreSchema.ExistsAsync(lease, token).ConfigureAwait(false))
                return;
            var command = lease.Command(
                """SELECT table_name, "row", count(*) FROM pgpool_migration.rejected WHERE run_id = $1 GROUP BY table_name, "row" """, runId);
            await using (command.ConfigureAwait(false))
            {
                foreach (var (table, row, count) in await command.QueryAsync(
                    static row => (row.GetString(0), row.GetString(1), row.GetInt64(2)), token).ConfigureAwait(false))
                {
                    if (!rejected._rows.TryGetValue(table, out var rows))
                        rejected._rows.Add(table, rows = []);
                    rows[row] = count;
                }
            }
        }, cancellationToken).ConfigureAwait(false);
        return rejected;
    }

    /// <summary>Where such rows of a table are: the addresses by relation. Of equal rows, as many as were put aside.</summary>
    /// <param name="source">In the source's snapshot, with the settings under which rows are put aside.</param>
    /// <param name="table">The table.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IReadOnlyDictionary<TableName, string[]>> FindAsync(ConnectionLease source, TablePlan table, CancellationToken cancellationToken)
    {
        Dictionary<TableName, string[]> found = [];
        if (!_rows.TryGetValue(table.Source.ToString(), out var rows))
            return found;
        var left = new Dictionary<string, long>(rows);
        var text = BadRowIsolator.RowText(source, table.Columns.Where(static column => !column.IsGenerated));
        foreach (var relation in table.Relations)
        {
            var part = new Partition(table, relation, PartitionKind.Whole, null, null, relation.Bytes);
            var command = source.Command(
                $"SELECT address, text FROM (SELECT ctid::text AS address, {text} AS text FROM {part.From} WHERE {part.Condition}) r WHERE text = ANY ($1)",
                (object)rows.Keys.ToArray());
            await using (command.ConfigureAwait(false))
            {
                var here = await command.QueryAsync(static row => (Address: row.GetString(0), Text: row.GetString(1)), cancellationToken).ConfigureAwait(false);
                found[relation.Name] = [.. here.Where(row => left[row.Text]-- > 0).Select(static row => row.Address)];
            }
        }

        return found;
    }
}
