using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Checkpoints;

// What changes in a plan when a run goes on after its source changed.
internal sealed partial class RunStore
{
    private const string Rename = """
        UPDATE pgpool_migration.partitions p SET relation_schema = renamed.new_schema, relation_name = renamed.new_name
        FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) AS renamed (old_schema, old_name, new_schema, new_name)
        WHERE p.run_id = $1 AND p.source_table = $2 AND p.relation_schema = renamed.old_schema AND p.relation_name = renamed.old_name
        """;

    /// <summary>Relations of a table have other names by now; some may have each other's.</summary>
    public Task RenameAsync(
        ConnectionLease target, TablePlan table, IReadOnlyList<(TableName Old, TableName New)> names, CancellationToken cancellationToken) =>
        ExecuteAsync(target, Rename, cancellationToken, table.Source.ToString(),
            names.Select(static pair => pair.Old.Schema).ToArray(), names.Select(static pair => pair.Old.Name).ToArray(),
            names.Select(static pair => pair.New.Schema).ToArray(), names.Select(static pair => pair.New.Name).ToArray());

    /// <summary>What is left to do of a relation is not to be done any more: it is no part of its table by now.</summary>
    public Task ForgetAsync(ConnectionLease target, TablePlan table, TableName relation, CancellationToken cancellationToken) => ExecuteAsync(
        target,
        "DELETE FROM pgpool_migration.partitions WHERE run_id = $1 AND source_table = $2 AND relation_schema = $3 AND relation_name = $4 AND done_at IS NULL",
        cancellationToken, table.Source.ToString(), relation.Schema, relation.Name);

    /// <summary>There is more to do than was planned.</summary>
    public async Task AddAsync(ConnectionLease target, IReadOnlyList<Partition> partitions, CancellationToken cancellationToken)
    {
        var last = await QueryAsync(target, "SELECT coalesce(max(number), 0) FROM pgpool_migration.partitions WHERE run_id = $1",
            reader => reader.GetInt32(0), cancellationToken).ConfigureAwait(false);
        await InsertAsync(target, partitions, last[0] + 1, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Keeps what a table's plan is made of from now on.</summary>
    public Task RedefineAsync(
        ConnectionLease target, TablePlan table, IReadOnlyDictionary<string, string> definition, CancellationToken cancellationToken) => ExecuteAsync(
        target, "UPDATE pgpool_migration.tables SET definition = $3 WHERE run_id = $1 AND source_table = $2",
        cancellationToken, table.Source.ToString(), List(definition));
}
