using System.Data;
using Npgsql;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Checkpoints;

namespace PgPool.Migration.Updating;

/// <summary>The table that is changed in place, and that the statement can run on it.</summary>
/// <param name="Table">As the store and the workers know it.</param>
/// <param name="From">What keys are read from.</param>
/// <param name="Statement">What is run for each range, see <see cref="UpdateStatement.Checked"/>.</param>
internal sealed record UpdatePlan(TablePlan Table, string From, string Statement)
{
    // An ordinary table is cut by its key; one with partitions, or with children by inheritance, which the statement reaches as well, is walked through
    // in one piece, as ranges of a part's keys may lie in others too.
    private const string Facts = """
        SELECT c.relkind IN ('r', 'p'), pg_table_size(c.oid), pg_relation_size(c.oid) / current_setting('block_size')::bigint, a.attname::text,
               format_type(a.atttypid, -1), pg_catalog.to_regclass('pgpool_migration.rejected') IS NOT NULL
                   OR has_database_privilege(current_database(), 'CREATE'),
               c.relkind = 'p' OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
        WHERE n.nspname = $1 AND c.relname = $2
        """;

    /// <exception cref="MigrationException">There is no such table, it has no primary key, or the statement does not fit it.</exception>
    public static async Task<UpdatePlan> ReadAsync(
        ConnectionLease target, TableName table, UpdateStatement statement, MigrationOptions options, CancellationToken cancellationToken)
    {
        var transaction = await target.Connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await target.ExecuteAsync(SessionSettings.ForWriting(target), cancellationToken).ConfigureAwait(false);
            await target.ExecuteAsync("SET LOCAL search_path = ''", cancellationToken).ConfigureAwait(false);
            var command = target.Command(Facts, table.Schema, table.Name);
            List<UpdatePlan?> found;
            await using (command.ConfigureAwait(false))
                found = await command.QueryAsync(reader => Read(reader, table, statement, options), cancellationToken).ConfigureAwait(false);
            if (found is not [{ } plan])
                throw new MigrationException($"Table {table} is not in the target: create it, or correct the name.") { Table = table };
            await transaction.RollbackAsync(cancellationToken).ConfigureAwait(false);
            await UpdateChecks.RunAsync(target, plan, statement, options, cancellationToken).ConfigureAwait(false);
            return plan;
        }
    }

    private static UpdatePlan? Read(NpgsqlDataReader reader, TableName table, UpdateStatement statement, MigrationOptions options)
    {
        if (!reader.GetBoolean(0))
            throw Refused($"{table} is not a table.");
        if (reader.IsDBNull(3))
            throw Refused($"Table {table} has no primary key, by which it is cut into ranges: add one.");
        if (!reader.GetBoolean(5))
            throw Refused($"The role may not create schema {StoreSchema.Name} in the target database, where progress is kept: GRANT CREATE ON DATABASE.");

        var hasParts = reader.GetBoolean(6);
        var relation = new Relation(table, reader.GetInt64(1), reader.GetInt64(2), new KeyColumn(reader.GetString(3), reader.GetString(4)));
        var plan = new TablePlan
        {
            Copy = new TableCopy(table) { PartitionBy = hasParts ? PartitionBy.Whole : PartitionBy.Key },
            Columns = [],
            Format = CopyFormat.Binary,
            SourceKey = [relation.Key!.Name],
            TargetKey = [relation.Key.Name],
            Relations = [relation],
            Definition = new Dictionary<string, string>
            {
                ["sql"] = statement.Sql,
                ["key"] = $"{relation.Key.Name} {relation.Key.Type}",
                ["triggers disabled"] = $"{options.DisableTriggers}",
            },
        };
        return new UpdatePlan(
            plan, hasParts ? table.ToString() : $"ONLY {table}", statement.Checked(Sql.Name(relation.Key.Name), relation.Key.Type));

        MigrationException Refused(string message) => new(message) { Table = table };
    }
}
