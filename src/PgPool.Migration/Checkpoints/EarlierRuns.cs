namespace PgPool.Migration.Checkpoints;

/// <summary>What runs of other ids have written.</summary>
internal static class EarlierRuns
{
    /// <summary>The part of a definition that tells which database was read.</summary>
    public const string SourceDatabase = "source database";

    private const string Query = """
        SELECT r.run_id, pg_catalog.to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), r.created_at, done.rows, done.last_at, t.definition
        FROM pgpool_migration.runs r JOIN pgpool_migration.tables t ON t.run_id = r.run_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(p.rows), 0)::int8 AS rows, max(p.done_at) FILTER (WHERE p.rows > 0) AS last_at
            FROM pgpool_migration.partitions p WHERE p.run_id = t.run_id AND p.source_table = t.source_table) done
        WHERE r.kind IN ('copy', 'transform') AND t.definition && $2::text[]
          AND NOT EXISTS (SELECT FROM pgpool_migration.runs own WHERE own.run_id = $1)
        ORDER BY r.created_at, r.run_id
        """;

    /// <summary>What has been written into any of the targets; nothing where the run itself was begun, and only goes on.</summary>
    public static async Task<IReadOnlyList<EarlierRun>> ReadAsync(
        ConnectionLease target, string runId, IEnumerable<TableName> targets, CancellationToken cancellationToken)
    {
        if (!await StoreSchema.ExistsAsync(target, cancellationToken).ConfigureAwait(false))
            return [];
        var command = target.Command(Query, runId, targets.Select(static table => table.ToString()).ToArray());
        await using (command.ConfigureAwait(false))
        {
            return await command.QueryAsync(
                static row => new EarlierRun(
                    row.GetString(0), row.GetString(1), row.GetFieldValue<DateTimeOffset>(2), row.GetInt64(3),
                    row.IsDBNull(4) ? null : row.GetFieldValue<DateTimeOffset>(4), RunStore.Pairs(row.GetFieldValue<string[]>(5))),
                cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What tells a database from others, and is the same at its standbys; empty where the role may not know.</summary>
    public static async Task<string> IdentifyAsync(ConnectionLease lease, CancellationToken cancellationToken)
    {
        const string Function = "pg_catalog.pg_control_system()";
        if (!await lease.ScalarAsync<bool>($"SELECT pg_catalog.has_function_privilege('{Function}', 'EXECUTE')", cancellationToken).ConfigureAwait(false))
            return "";
        return await lease.ScalarAsync<string>(
            $"""
            SELECT system_identifier || ' ' || (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) FROM {Function}
            """,
            cancellationToken).ConfigureAwait(false) ?? "";
    }
}
