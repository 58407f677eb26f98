using PgPool.Migration.Catalogs;
using PgPool.Migration.Checkpoints;
using PgPool.Migration.Diagnostics;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Running;

/// <summary>Brings the stored plan of a run that goes on up to what the source's tables are made of now.</summary>
/// <remarks>
/// The rule: what is done stays done, and what is left are the rows that the tables have now and that are not in what is done. A renamed partition is
/// known by its oid. What is left of one that is gone is dropped from the plan. One that is new is added, unless rows of it may have been done elsewhere.
/// Ranges of a key go on as long as the key's column keeps its order, whatever the primary key is by now.
/// </remarks>
internal sealed class RelationChanges(RunState run, StoredRun stored, ConnectionLease target, ConnectionLease source, CancellationToken cancellationToken)
{
    // Where rows were that a new partition takes: PostgreSQL moves none out of it by itself, but people do before they attach one.
    private const string Defaults = """
        WITH RECURSIVE up (leaf, oid) AS (
            SELECT oid, oid FROM unnest($1::int8[]) AS leaf (oid)
            UNION ALL
            SELECT up.leaf, i.inhparent::int8 FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.oid::oid)
        SELECT DISTINCT up.leaf FROM up JOIN pg_catalog.pg_class c ON c.oid = up.oid::oid
        WHERE pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
        """;

    /// <returns>The plan with the keys by which its ranges were cut.</returns>
    /// <param name="plan">The table's plan.</param>
    /// <param name="isOneSnapshot">Whether the snapshot is the one in which the run was planned: its partitions then are those that it was planned with.</param>
    /// <exception cref="MigrationException">The table changed so that its rows cannot be told from those that are done.</exception>
    public async Task<TablePlan> ApplyAsync(TablePlan plan, bool isOneSnapshot)
    {
        var name = plan.Source.ToString();
        var definition = stored.Definitions[name];
        var relations = stored.Relations[name].ToList();
        var now = Match(definition, relations, plan.Relations);
        if (!isOneSnapshot)
            await ChangeAsync(plan, relations, now).ConfigureAwait(false);
        plan = plan with { Relations = await WithKeysAsync(plan, definition, relations, now).ConfigureAwait(false) };
        await DefineAsync(plan, definition, [.. relations.Where(static relation => relation.UndoneByKey > 0)
            .Select(relation => now.GetValueOrDefault(relation.Name)?.Oid ?? 0)]).ConfigureAwait(false);
        return plan;
    }

    // Oids are others in a database that was restored from a dump: where none is known again, names are what there is.
    private static Dictionary<TableName, Relation> Match(
        IReadOnlyDictionary<string, string> definition, IReadOnlyList<StoredRelation> relations, IReadOnlyList<Relation> current)
    {
        var known = relations.ToDictionary(static relation => relation.Name, relation => RelationDefinition.Of(definition, relation.Name)?.Oid);
        var byOid = current.ToDictionary(static relation => relation.Oid);
        if (known.Values.Any(oid => oid is { } value && byOid.ContainsKey(value)))
            return known.Where(pair => pair.Value is { } oid && byOid.ContainsKey(oid)).ToDictionary(static pair => pair.Key, pair => byOid[pair.Value!.Value]);
        return current.Where(relation => known.ContainsKey(relation.Name)).ToDictionary(static relation => relation.Name);
    }

    private async Task ChangeAsync(TablePlan plan, IReadOnlyList<StoredRelation> relations, Dictionary<TableName, Relation> now)
    {
        List<StoredRelation> gone = [.. relations.Where(relation => !now.ContainsKey(relation.Name))];
        List<Relation> added = [.. plan.Relations.Except(now.Values)];
        await CheckAddedAsync(plan, added, gone, relations, now).ConfigureAwait(false);
        foreach (var relation in gone.Where(static relation => relation.Undone > 0))
        {
            MigrationLog.RelationGone(run.Log, run.RunId, relation.Name.ToString(), plan.Source.ToString());
            await run.Store.ForgetAsync(target, plan, relation.Name, cancellationToken).ConfigureAwait(false);
        }

        List<(TableName Old, TableName New)> renamed = [.. now.Where(static pair => pair.Key != pair.Value.Name).Select(static pair => (pair.Key, pair.Value.Name))];
        if (renamed.Count > 0)
            await run.Store.RenameAsync(target, plan, renamed, cancellationToken).ConfigureAwait(false);
        if (added.Count > 0)
        {
            var partitions = await Partitioner.PlanAsync(source, plan with { Relations = added }, run.Options.PartitionBytes, cancellationToken).ConfigureAwait(false);
            await run.Store.AddAsync(target, partitions, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task CheckAddedAsync(
        TablePlan plan, List<Relation> added, List<StoredRelation> gone, IReadOnlyList<StoredRelation> relations,
        Dictionary<TableName, Relation> now)
    {
        if (added.Count == 0)
            return;
        List<string> origins = [.. gone.Where(static relation => relation.Done > 0).Select(static relation => $"{relation.Name}, which is gone")];
        var defaults = await DefaultsAsync([.. now.Values]).ConfigureAwait(false);
        origins.AddRange(relations.Where(relation => relation.Done > 0 && now.TryGetValue(relation.Name, out var found) && defaults.Contains(found.Oid))
            .Select(static relation => $"{relation.Name}, the default partition"));
        if (origins.Count == 0)
            return;
        foreach (var relation in added)
        {
            if (await source.ScalarAsync<bool>($"SELECT NOT EXISTS (SELECT FROM ONLY {relation.Name})", cancellationToken).ConfigureAwait(false))
                continue;
            throw new MigrationException(
                $"Run {run.RunId} cannot go on: {relation.Name} is new in {plan.Source}, and rows of it may be those of {string.Join(" and ", origins)}, which "
                + "were copied already. If they are, detach it while the run goes on, and attach it again afterwards; if they are not, do the same and copy it by a "
                + $"run of its own into {plan.Target}. Or begin a new run with {nameof(TargetMode)}.{nameof(TargetMode.Truncate)}.")
            {
                Table = plan.Source,
            };
        }
    }

    private async Task<HashSet<long>> DefaultsAsync(IReadOnlyList<Relation> relations)
    {
        var command = source.Command(Defaults, relations.Select(static relation => relation.Oid).ToArray());
        await using (command.ConfigureAwait(false))
            return [.. await command.QueryAsync(static row => row.GetInt64(0), cancellationToken).ConfigureAwait(false)];
    }

    private async Task<IReadOnlyList<Relation>> WithKeysAsync(
        TablePlan plan, IReadOnlyDictionary<string, string> definition, IReadOnlyList<StoredRelation> relations, Dictionary<TableName, Relation> now)
    {
        var cut = relations.Where(relation => relation.UndoneByKey > 0 && now.ContainsKey(relation.Name))
            .Select(relation => (Now: now[relation.Name], Key: RelationDefinition.Of(definition, relation.Name)?.Key)).ToList();

        // Runs of earlier versions kept no order: the whole schema has to be as it was.
        const string Schema = "source schema";
        if (cut.Any(static relation => relation.Key is null) && definition.GetValueOrDefault(Schema) != plan.Definition.GetValueOrDefault(Schema))
            throw Changed(plan, $"{Schema} was \"{definition.GetValueOrDefault(Schema)}\", is \"{plan.Definition.GetValueOrDefault(Schema)}\"");

        var byKey = cut.Where(static relation => relation.Key is not null).ToList();
        var orders = await KeyOrder.ReadAsync(
            source, [.. byKey.Select(static relation => (relation.Now.Oid, relation.Key!.Column))], cancellationToken).ConfigureAwait(false);
        var keys = new Dictionary<long, KeyColumn>();
        foreach (var ((relation, key), order) in byKey.Zip(orders))
        {
            if (order is not var (current, isNotNull))
                throw Changed(plan, $"its column {Sql.Name(key!.Column)} is gone");
            if (key!.With(current) is not { } both)
                throw Changed(plan, $"its column {Sql.Name(key.Column)} was {key.Type} {key.Collation}, is {current.Type} {current.Collation}");
            if (!isNotNull)
                throw Changed(plan, $"its column {Sql.Name(key.Column)} may be NULL by now, which is in no range");
            keys[relation.Oid] = new KeyColumn(both.Column, both.Type);
        }

        return [.. plan.Relations.Select(relation => keys.TryGetValue(relation.Oid, out var key) ? relation with { Key = key } : relation)];
    }

    private async Task DefineAsync(TablePlan plan, IReadOnlyDictionary<string, string> definition, IReadOnlyCollection<long> byKey)
    {
        var changed = definition.Where(static pair => !RelationDefinition.IsPart(pair.Key)).ToDictionary();
        foreach (var (part, text) in await DescribeAsync(source, plan, byKey, cancellationToken).ConfigureAwait(false))
            changed[part] = text;
        if (changed.Count != definition.Count || changed.Any(pair => definition.GetValueOrDefault(pair.Key) != pair.Value))
            await run.Store.RedefineAsync(target, plan, changed, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What is kept of a table's relations, as parts of its definition.</summary>
    /// <param name="source">Within the snapshot.</param>
    /// <param name="plan">The table.</param>
    /// <param name="byKey">The oids of those that are cut by their key.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IReadOnlyDictionary<string, string>> DescribeAsync(
        ConnectionLease source, TablePlan plan, IReadOnlyCollection<long> byKey, CancellationToken cancellationToken)
    {
        var keyed = plan.Relations.Where(relation => relation.Key is not null && byKey.Contains(relation.Oid)).ToList();
        var orders = keyed.Count == 0 ? [] : await KeyOrder.ReadAsync(
            source, [.. keyed.Select(static relation => (relation.Oid, relation.Key!.Name))], cancellationToken).ConfigureAwait(false);
        var keys = keyed.Zip(orders).ToDictionary(static pair => pair.First.Oid, static pair => pair.Second?.Order);
        return plan.Relations.ToDictionary(
            static relation => RelationDefinition.Part(relation.Name),
            relation => new RelationDefinition(relation.Oid, keys.GetValueOrDefault(relation.Oid)).ToString());
    }

    private MigrationException Changed(TablePlan plan, string what) => new(
        $"Run {run.RunId} cannot go on: {plan.Source} is cut into ranges of its key and partly copied, and {what}. Ranges that are done can no more be told from "
        + $"those that are not. Change it back to go on, or begin a new run with {nameof(TargetMode)}.{nameof(TargetMode.Truncate)}.")
    {
        Table = plan.Source,
    };
}
