using Npgsql;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Checkpoints;

/// <summary>One run in the target database. Every method works in the transaction that the caller has begun on the lease.</summary>
internal sealed partial class RunStore(string runId)
{
    /// <summary>What tells this call's row of pgpool_migration.snapshots from those of other processes.</summary>
    private readonly Guid _process = Guid.NewGuid();

    /// <summary>Until the transaction ends, no other process joins the run or begins it.</summary>
    public async Task LockAsync(ConnectionLease target, CancellationToken cancellationToken)
    {
        // Whoever has it may be planning: that takes as long as it takes.
        var command = target.Command($"SELECT pg_advisory_xact_lock({ServerDialect.StandardHash("'pgpool_migration/' || $1")})", runId);
        await using (command.ConfigureAwait(false))
        {
            await target.ExecuteAsync("SET LOCAL lock_timeout = 0", cancellationToken).ConfigureAwait(false);
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            await target.ExecuteAsync("SET LOCAL lock_timeout = '30s'", cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether a run of this id was begun.</summary>
    public async Task<bool> ExistsAsync(ConnectionLease target, CancellationToken cancellationToken) =>
        await StoreSchema.ExistsAsync(target, cancellationToken).ConfigureAwait(false)
        && await QueryAsync(target, "SELECT FROM pgpool_migration.runs WHERE run_id = $1", _ => true, cancellationToken).ConfigureAwait(false) is [true];

    /// <returns>Null where no run of this id was begun.</returns>
    public async Task<StoredRun?> ReadAsync(ConnectionLease target, CancellationToken cancellationToken)
    {
        if (!await StoreSchema.ExistsAsync(target, cancellationToken).ConfigureAwait(false))
            return null;
        var runs = await QueryAsync(target, "SELECT kind, epoch FROM pgpool_migration.runs WHERE run_id = $1",
            reader => (Kind: reader.GetString(0), Epoch: reader.GetInt32(1)), cancellationToken).ConfigureAwait(false);
        if (runs is not [var run])
            return null;

        var definitions = await QueryAsync(target, "SELECT source_table, definition FROM pgpool_migration.tables WHERE run_id = $1",
            reader => (Table: reader.GetString(0), Definition: Pairs(reader.GetFieldValue<string[]>(1))), cancellationToken).ConfigureAwait(false);
        var relations = await QueryAsync(target,
            """
            SELECT source_table, relation_schema, relation_name, count(done_at)::int, (count(*) - count(done_at))::int,
                   (count(*) FILTER (WHERE kind = 'Key' AND done_at IS NULL))::int
            FROM pgpool_migration.partitions WHERE run_id = $1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            """,
            reader => (Table: reader.GetString(0), Relation: new StoredRelation(
                new TableName(reader.GetString(1), reader.GetString(2)), reader.GetInt32(3), reader.GetInt32(4), reader.GetInt32(5))),
            cancellationToken).ConfigureAwait(false);
        var snapshots = await SnapshotsAsync(target, run.Epoch, cancellationToken).ConfigureAwait(false);
        var contents = await QueryAsync(target, "SELECT contents FROM pgpool_migration.snapshots WHERE run_id = $1 AND epoch = $2 LIMIT 1",
            reader => reader.GetString(0), cancellationToken, run.Epoch).ConfigureAwait(false);
        return new StoredRun(
            run.Kind, run.Epoch,
            definitions.ToDictionary(table => table.Table, IReadOnlyDictionary<string, string> (table) => table.Definition),
            relations.ToLookup(static relation => relation.Table, static relation => relation.Relation), snapshots,
            contents.FirstOrDefault());
    }

    /// <summary>Begins the run.</summary>
    public async Task CreateAsync(
        ConnectionLease target, string kind, IReadOnlyList<TablePlan> tables, IEnumerable<Partition> partitions, CancellationToken cancellationToken)
    {
        await StoreSchema.EnsureAsync(target, cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(target, "INSERT INTO pgpool_migration.runs (run_id, kind, epoch) VALUES ($1, $2, 1)", cancellationToken, kind).ConfigureAwait(false);
        for (var i = 0; i < tables.Count; i++)
        {
            await ExecuteAsync(target,
                "INSERT INTO pgpool_migration.tables (run_id, number, source_table, definition) VALUES ($1, $2, $3, $4)",
                cancellationToken, i + 1, tables[i].Source.ToString(), List(tables[i].Definition)).ConfigureAwait(false);
        }

        await InsertAsync(target, [.. partitions], firstNumber: 1, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The run goes on under another snapshot.</summary>
    public async Task<int> BeginEpochAsync(ConnectionLease target, CancellationToken cancellationToken)
    {
        await ExecuteAsync(target, "UPDATE pgpool_migration.runs SET epoch = epoch + 1 WHERE run_id = $1", cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(target, "DELETE FROM pgpool_migration.snapshots WHERE run_id = $1", cancellationToken).ConfigureAwait(false);
        return (await QueryAsync(target, "SELECT epoch FROM pgpool_migration.runs WHERE run_id = $1",
            reader => reader.GetInt32(0), cancellationToken).ConfigureAwait(false))[0];
    }

    /// <summary>Tells other processes what they can import.</summary>
    public Task RegisterSnapshotAsync(
        ConnectionLease target, int epoch, IReadOnlyList<string> ids, string contents, CancellationToken cancellationToken) =>
        ExecuteAsync(target,
            """
            INSERT INTO pgpool_migration.snapshots (run_id, process, epoch, ids, contents) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (run_id, process) DO UPDATE SET epoch = excluded.epoch, ids = excluded.ids, contents = excluded.contents
            """,
            cancellationToken, _process, epoch, ids.ToArray(), contents);

    public Task ForgetSnapshotAsync(ConnectionLease target, CancellationToken cancellationToken) =>
        ExecuteAsync(target, "DELETE FROM pgpool_migration.snapshots WHERE run_id = $1 AND process = $2", cancellationToken, _process);

    /// <summary>What other processes have exported in an epoch.</summary>
    public async Task<IReadOnlyList<string>> SnapshotsAsync(ConnectionLease target, int epoch, CancellationToken cancellationToken) =>
        await QueryAsync(target,
            "SELECT unnest(ids) FROM pgpool_migration.snapshots WHERE run_id = $1 AND epoch = $2 AND process <> $3",
            reader => reader.GetString(0), cancellationToken, epoch, _process).ConfigureAwait(false);

    /// <summary>Tables cut by blocks of which some rows were read under an earlier snapshot, and some were not read yet.</summary>
    public async Task<IReadOnlyList<string>> TornByBlocksAsync(ConnectionLease target, CancellationToken cancellationToken) =>
        await QueryAsync(target,
            """
            SELECT source_table FROM pgpool_migration.partitions WHERE run_id = $1 GROUP BY source_table, relation_schema, relation_name
            HAVING bool_or(kind = 'Blocks') AND bool_or(done_at IS NOT NULL) AND bool_or(done_at IS NULL)
            """,
            reader => reader.GetString(0), cancellationToken).ConfigureAwait(false);

    /// <summary>Whether all rows that were read so far were read under one snapshot.</summary>
    public async Task<bool> IsOneEpochAsync(ConnectionLease target, CancellationToken cancellationToken) =>
        (await QueryAsync(target,
            "SELECT count(DISTINCT epoch) < 2 FROM pgpool_migration.partitions WHERE run_id = $1 AND done_at IS NOT NULL",
            reader => reader.GetBoolean(0), cancellationToken).ConfigureAwait(false))[0];

    public async Task<RunCounts> CountAsync(ConnectionLease target, CancellationToken cancellationToken) =>
        (await QueryAsync(target,
            """
            SELECT count(done_at)::int, count(*)::int, coalesce(sum(bytes) FILTER (WHERE done_at IS NOT NULL), 0)::bigint, coalesce(sum(bytes), 0)::bigint
            FROM pgpool_migration.partitions WHERE run_id = $1
            """,
            reader => new RunCounts(reader.GetInt32(0), reader.GetInt32(1), reader.GetInt64(2), reader.GetInt64(3)),
            cancellationToken).ConfigureAwait(false))[0];

    /// <summary>A definition, of the list that it is kept as.</summary>
    public static Dictionary<string, string> Pairs(string[] list) => list.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);

    private static string[] List(IReadOnlyDictionary<string, string> definition) => [.. definition.SelectMany(static pair => new[] { pair.Key, pair.Value })];

    // $1 is the run in all of them.
    private async Task<int> ExecuteAsync(ConnectionLease target, string sql, CancellationToken cancellationToken, params object?[] parameters)
    {
        var command = target.Command(sql, [runId, .. parameters]);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<List<T>> QueryAsync<T>(
        ConnectionLease target, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params object?[] parameters)
    {
        var command = target.Command(sql, [runId, .. parameters]);
        await using (command.ConfigureAwait(false))
            return await command.QueryAsync(read, cancellationToken).ConfigureAwait(false);
    }
}
