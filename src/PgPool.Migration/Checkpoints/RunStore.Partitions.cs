using Npgsql;
using PgPool.Migration.Copying;
using PgPool.Migration.Partitions;
using PgPool.Migration.Running;

namespace PgPool.Migration.Checkpoints;

// The partitions of a run: who has which, and which are done.
internal sealed partial class RunStore
{
    // The row lock is the claim. It ends with the transaction that carries the data, however that ends: nobody has to notice that a process died.
    // A table that needs another's rows first waits in a later wave.
    private const string Claim = """
        SELECT number, source_table, relation_schema, relation_name, kind, lower, upper, bytes, position
        FROM pgpool_migration.partitions
        WHERE run_id = $1 AND done_at IS NULL AND number <> ALL ($2)
          AND wave = (SELECT min(wave) FROM pgpool_migration.partitions WHERE run_id = $1 AND done_at IS NULL)
        ORDER BY bytes DESC, number
        LIMIT 1
        FOR UPDATE SKIP LOCKED
        """;

    private const string Insert = """
        INSERT INTO pgpool_migration.partitions (run_id, number, source_table, relation_schema, relation_name, kind, lower, upper, bytes, wave)
        SELECT $1, number, source_table, relation_schema, relation_name, kind, lower, upper, bytes, wave
        FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::int[])
             AS p (number, source_table, relation_schema, relation_name, kind, lower, upper, bytes, wave)
        """;

    /// <summary>Takes the largest partition that nobody has, until the transaction ends.</summary>
    /// <param name="target">In the transaction that will carry the data.</param>
    /// <param name="excluded">Numbers not to take.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null where there is none: all are done, taken or excluded, or wait for another wave.</returns>
    public async Task<ClaimedPartition?> ClaimAsync(ConnectionLease target, int[] excluded, CancellationToken cancellationToken)
    {
        var claimed = await QueryAsync(target, Claim, ReadClaimed, cancellationToken, excluded).ConfigureAwait(false);
        return claimed is [var partition] ? partition : null;
    }

    /// <summary>Takes a partition whose claim ended with its transaction; waits for a worker that has taken it since.</summary>
    public Task ClaimAgainAsync(ConnectionLease target, int number, CancellationToken cancellationToken) => ExecuteAsync(
        target, "SELECT FROM pgpool_migration.partitions WHERE run_id = $1 AND number = $2 FOR UPDATE", cancellationToken, number);

    /// <summary>Notes in the data's own transaction how far the partition is, and by which attempt.</summary>
    public Task RecordAsync(ConnectionLease target, int number, Guid attempt, int epoch, JobResult result, CancellationToken cancellationToken) =>
        ExecuteAsync(target,
            """
            UPDATE pgpool_migration.partitions
            SET done_at = CASE WHEN $5::text IS NULL THEN clock_timestamp() END, position = $5, attempt = $3, epoch = $4,
                rows = rows + $6, copied_bytes = copied_bytes + $7, rejected_rows = rejected_rows + $8
            WHERE run_id = $1 AND number = $2
            """,
            cancellationToken, number, attempt, epoch, result.Position, result.Outcome.Rows, result.Outcome.Bytes, result.Outcome.Rejected);

    /// <summary>Whether the attempt's COMMIT, whose answer was lost, took place. Waits for a transaction that is still at it.</summary>
    public async Task<bool> WasCommittedAsync(ConnectionLease target, int number, Guid attempt, CancellationToken cancellationToken) =>
        await QueryAsync(target,
            "SELECT attempt IS NOT DISTINCT FROM $3 FROM pgpool_migration.partitions WHERE run_id = $1 AND number = $2 FOR SHARE",
            reader => reader.GetBoolean(0), cancellationToken, number, attempt).ConfigureAwait(false) is [true];

    /// <summary>Keeps a row that the target refused.</summary>
    public Task RejectAsync(ConnectionLease target, Partition partition, BadRow row, CancellationToken cancellationToken) =>
        ExecuteAsync(target,
            """
            INSERT INTO pgpool_migration.rejected (run_id, table_name, partition, "row", sqlstate, error) VALUES ($1, $2, $3, $4, $5, $6)
            """,
            cancellationToken, partition.Table.Source.ToString(), partition.Bounds, row.Text, row.Refusal.SqlState, row.Refusal.MessageText);

    /// <summary>Puts two partitions in the place of one that the caller has claimed.</summary>
    public async Task SplitAsync(ConnectionLease target, int number, Partition first, Partition second, CancellationToken cancellationToken)
    {
        await ExecuteAsync(target,
            "UPDATE pgpool_migration.partitions SET kind = $3, lower = $4::text, upper = $5::text, bytes = $6 WHERE run_id = $1 AND number = $2",
            cancellationToken, number, first.Kind.ToString(), first.Lower, first.Upper, first.Bytes).ConfigureAwait(false);

        // Two that split at once would take the same number.
        await ExecuteAsync(target, "SELECT FROM pgpool_migration.runs WHERE run_id = $1 FOR NO KEY UPDATE", cancellationToken).ConfigureAwait(false);
        var last = await QueryAsync(target, "SELECT max(number) FROM pgpool_migration.partitions WHERE run_id = $1",
            reader => reader.GetInt32(0), cancellationToken).ConfigureAwait(false);
        await InsertAsync(target, [second], last[0] + 1, cancellationToken).ConfigureAwait(false);
    }

    private Task<int> InsertAsync(ConnectionLease target, IReadOnlyList<Partition> partitions, int firstNumber, CancellationToken cancellationToken) =>
        ExecuteAsync(target, Insert, cancellationToken,
            Enumerable.Range(firstNumber, partitions.Count).ToArray(),
            partitions.Select(partition => partition.Table.Source.ToString()).ToArray(),
            partitions.Select(partition => partition.Relation.Name.Schema).ToArray(),
            partitions.Select(partition => partition.Relation.Name.Name).ToArray(),
            partitions.Select(partition => partition.Kind.ToString()).ToArray(),
            partitions.Select(partition => partition.Lower).ToArray(),
            partitions.Select(partition => partition.Upper).ToArray(),
            partitions.Select(partition => partition.Bytes).ToArray(),
            partitions.Select(partition => partition.Table.Wave).ToArray());

    private static ClaimedPartition ReadClaimed(NpgsqlDataReader reader) => new(
        reader.GetInt32(0), reader.GetString(1), new TableName(reader.GetString(2), reader.GetString(3)), Enum.Parse<PartitionKind>(reader.GetString(4)),
        Text(reader, 5), Text(reader, 6), reader.GetInt64(7), Text(reader, 8));

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
}
