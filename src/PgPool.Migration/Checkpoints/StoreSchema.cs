namespace PgPool.Migration.Checkpoints;

/// <summary>The tables in which the target database keeps its runs.</summary>
internal static class StoreSchema
{
    public const string Name = "pgpool_migration";

    // Not to_regclass: a session that has looked in vain remembers that, and behind a lock that is none of a table's it does not look again.
    private const string IsComplete = """
        SELECT EXISTS (
            SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'pgpool_migration' AND c.relname = 'rejected')
        """;

    // A definition is a list of names and values by turns. Rows of snapshots are hints: what a dead process left there cannot be imported.
    private const string Create = """
        CREATE SCHEMA IF NOT EXISTS pgpool_migration;
        CREATE TABLE IF NOT EXISTS pgpool_migration.runs (
            run_id text PRIMARY KEY, kind text NOT NULL, epoch int NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
        CREATE TABLE IF NOT EXISTS pgpool_migration.tables (
            run_id text NOT NULL REFERENCES pgpool_migration.runs ON DELETE CASCADE, number int NOT NULL, source_table text NOT NULL,
            definition text[] NOT NULL, PRIMARY KEY (run_id, number));
        CREATE TABLE IF NOT EXISTS pgpool_migration.partitions (
            run_id text NOT NULL REFERENCES pgpool_migration.runs ON DELETE CASCADE, number int NOT NULL, source_table text NOT NULL,
            relation_schema text NOT NULL, relation_name text NOT NULL, kind text NOT NULL, lower text, upper text, bytes bigint NOT NULL,
            wave int NOT NULL, position text, done_at timestamptz, epoch int, attempt uuid, rows bigint NOT NULL DEFAULT 0,
            copied_bytes bigint NOT NULL DEFAULT 0, rejected_rows bigint NOT NULL DEFAULT 0, PRIMARY KEY (run_id, number));
        CREATE INDEX IF NOT EXISTS partitions_to_do ON pgpool_migration.partitions (run_id, wave, bytes DESC) WHERE done_at IS NULL;
        CREATE TABLE IF NOT EXISTS pgpool_migration.snapshots (
            run_id text NOT NULL REFERENCES pgpool_migration.runs ON DELETE CASCADE, process uuid NOT NULL, epoch int NOT NULL,
            ids text[] NOT NULL, contents text NOT NULL, PRIMARY KEY (run_id, process));
        CREATE TABLE IF NOT EXISTS pgpool_migration.rejected (
            run_id text NOT NULL, table_name text NOT NULL, partition text NOT NULL, "row" text NOT NULL, sqlstate text NOT NULL,
            error text NOT NULL, rejected_at timestamptz NOT NULL DEFAULT clock_timestamp());
        """;

    public static Task<bool> ExistsAsync(ConnectionLease target, CancellationToken cancellationToken) =>
        target.ScalarAsync<bool>(IsComplete, cancellationToken);

    /// <summary>Within the caller's transaction: what is refused later leaves nothing behind.</summary>
    public static async Task EnsureAsync(ConnectionLease target, CancellationToken cancellationToken)
    {
        if (await ExistsAsync(target, cancellationToken).ConfigureAwait(false))
            return;

        // IF NOT EXISTS does not keep two sessions from creating the same at once.
        await target.ExecuteAsync("SELECT pg_advisory_xact_lock(hashtext('pgpool_migration'))", cancellationToken).ConfigureAwait(false);
        if (!await ExistsAsync(target, cancellationToken).ConfigureAwait(false))
            await target.ExecuteAsync(Create, cancellationToken).ConfigureAwait(false);
    }
}
