using PgPool.Migration.Checkpoints;

namespace PgPool.Migration.Catalogs;

/// <summary>What the run itself needs of the target database, whatever its tables.</summary>
internal static class TargetRights
{
    private const string Schema = StoreSchema.Name;

    private const string Query = """
        SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
               pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP'),
               n.oid IS NOT NULL,
               coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false),
               coalesce(pg_catalog.has_schema_privilege(n.oid, 'CREATE'), false),
               EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')),
               ARRAY(SELECT c.relname::text FROM pg_catalog.pg_class c
                     WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
                       AND NOT (pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
                                AND pg_catalog.has_table_privilege(c.oid, 'UPDATE') AND pg_catalog.has_table_privilege(c.oid, 'DELETE'))
                     ORDER BY 1)
        FROM (VALUES ($1)) wanted (name) LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.name
        """;

    public static async Task CheckAsync(ConnectionLease target, ServerFacts facts, bool upserts, Problems problems, CancellationToken cancellationToken)
    {
        var command = target.Command(Query, Schema);
        await using (command.ConfigureAwait(false))
        {
            var (mayCreate, mayUseTemporary, exists, mayUse, mayCreateIn, hasTables, unwritable) = (await command.QueryAsync(
                static row => (row.GetBoolean(0), row.GetBoolean(1), row.GetBoolean(2), row.GetBoolean(3), row.GetBoolean(4), row.GetBoolean(5),
                    row.GetFieldValue<string[]>(6)),
                cancellationToken).ConfigureAwait(false))[0];
            var role = $"role {Sql.Name(facts.Role)}";
            if (!exists && !mayCreate)
            {
                problems.Add($"{role} may not create the schema {Schema} in the target {facts.Database}, where progress is kept",
                    $"GRANT CREATE ON DATABASE {Sql.Name(facts.Database)}, or create the schema with the role as its owner");
            }
            else if (exists && !mayUse)
                problems.Add($"{role} has no USAGE privilege on the target's schema {Schema}, where progress is kept", "grant it");
            else if (exists && !hasTables && !mayCreateIn)
                problems.Add($"{role} may not create tables in the target's schema {Schema}, where progress is kept", "grant CREATE on it");
            else if (unwritable.Length > 0)
            {
                problems.Add($"{role} may not read and write the tables of the target's schema {Schema} ({Sql.Names(unwritable)}), where progress is kept",
                    "grant SELECT, INSERT, UPDATE and DELETE on them");
            }

            if (upserts && !mayUseTemporary)
            {
                problems.Add($"{role} may not use temporary tables in the target {facts.Database}, through which {nameof(TargetMode.Upsert)} goes",
                    $"GRANT TEMPORARY ON DATABASE {Sql.Name(facts.Database)}");
            }
        }
    }
}
