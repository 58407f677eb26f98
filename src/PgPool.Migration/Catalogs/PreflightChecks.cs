using PgPool.Migration.Checkpoints;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Catalogs;

/// <summary>The checks of one run, within a transaction on each side.</summary>
internal sealed class PreflightChecks(
    ConnectionLease source, ConnectionLease target, IReadOnlyList<TableCopy> tables, PreflightOptions options, Problems problems,
    CancellationToken cancellationToken)
{
    public async Task<IReadOnlyList<TablePlan>> RunAsync()
    {
        var from = await new CatalogReader(source, cancellationToken).ReadAsync([.. tables.Select(static table => table.Source)], sizes: true, casts: true)
            .ConfigureAwait(false);
        var to = await new CatalogReader(target, cancellationToken).ReadAsync([.. tables.Select(static table => table.TargetName)], sizes: !options.Writes, casts: false)
            .ConfigureAwait(false);
        IReadOnlyList<TablePlan> plans = CheckTables(from, to);
        await CheckConditionsAsync(from, to, plans).ConfigureAwait(false);
        await CheckConnectionsAsync(from.Facts, to.Facts).ConfigureAwait(false);
        if (!options.Writes)
            return plans;

        await CheckTargetAsync(to.Facts).ConfigureAwait(false);
        plans = await OrderAsync(plans, to).ConfigureAwait(false);
        await CheckPartitionsAsync(plans).ConfigureAwait(false);
        return options.RunId is { } runId ? await CheckRepeatAsync(runId, plans, from).ConfigureAwait(false) : plans;
    }

    private async Task<IReadOnlyList<TablePlan>> CheckRepeatAsync(string runId, IReadOnlyList<TablePlan> plans, DatabaseCatalog from)
    {
        var database = await EarlierRuns.IdentifyAsync(source, cancellationToken).ConfigureAwait(false);
        var found = plans.Select(static plan => plan.Copy).ToHashSet(ReferenceEqualityComparer.Instance);
        await new RepeatChecks(source, target, problems, cancellationToken).RunAsync(
            runId, database, [.. tables.Zip(from.Tables).Where(table => found.Contains(table.First)).Select(static table => (table.First, table.Second!))])
            .ConfigureAwait(false);
        return [.. plans.Select(plan => plan with { Definition = new Dictionary<string, string>(plan.Definition) { [EarlierRuns.SourceDatabase] = database } })];
    }

    // By the target's foreign keys.
    private async Task<IReadOnlyList<TablePlan>> OrderAsync(IReadOnlyList<TablePlan> plans, DatabaseCatalog to)
    {
        var keys = await ForeignKeyOrder.ReadAsync(target, to, cancellationToken).ConfigureAwait(false);
        keys.CheckTruncate(tables, to, problems);
        if (options.DisableTriggers)
            return plans;
        var waves = keys.Waves(problems);
        var targets = tables.Zip(to.Tables).Where(static pair => pair.Second is not null).ToDictionary(static pair => pair.First.Source, static pair => pair.Second!.Oid);
        return [.. plans.Select(plan => waves.TryGetValue(targets[plan.Source], out var wave)
            ? plan with { Wave = wave.Wave, IsIndivisible = wave.IsIndivisible }
            : plan)];
    }

    // Without plans for tables that are not there; those are problems.
    private List<TablePlan> CheckTables(DatabaseCatalog from, DatabaseCatalog to)
    {
        var checks = new TableChecks(from, to, problems);
        var match = new ColumnMatch(from, to, problems);
        checks.Overlap(tables);
        List<TablePlan> plans = [];
        foreach (var (copy, found, wanted) in tables.Zip(from.Tables, to.Tables))
        {
            if (!checks.Exist(copy, found, wanted, options.Writes))
                continue;
            IReadOnlyList<CopyColumn>? written = null;
            var format = CopyFormat.Binary;
            var settings = ValueSettings.None;
            IReadOnlyList<CopyColumn> columns;
            if (options.TransformsTo is { } names)
                (columns, written) = match.MatchTransformed(copy, names, found!, wanted!);
            else
                (columns, format, settings) = match.Match(copy, found!, wanted!, options.Writes);
            checks.Readable(copy, found!, columns);
            if (options.Writes)
                checks.Writable(copy, wanted!, written ?? columns);
            else
                checks.Comparable(copy, wanted!, columns);
            plans.Add(new TablePlan
            {
                Copy = copy,
                Columns = columns,
                Transformed = written,
                Format = format,
                Settings = settings,
                SourceKey = found!.Key,
                TargetKey = wanted!.Key,
                Relations = [.. from.RelationsOf(found).Select(relation => Relation(from, relation))],
                TargetRelations = [.. to.RelationsOf(wanted).Select(relation => Relation(to, relation))],
                Definition = PlanDefinition.Of(copy, found, from.RelationsOf(found).Select(static leaf => leaf.Name), wanted, columns, written),
            });
        }

        return plans;
    }

    // Bounds are cast to what is below a domain: not every value between two of a domain is one of it.
    private static Relation Relation(DatabaseCatalog catalog, CatalogTable table) => new(
        table.Name, table.Bytes, table.Blocks,
        table is { IsKeyOrdered: true, Key: [var first, ..] } ? new KeyColumn(first, catalog.BaseOf(catalog.Types[table.Column(first)!.Type]).Formatted) : null)
    {
        Oid = table.Oid,
    };

    private async Task CheckConditionsAsync(DatabaseCatalog from, DatabaseCatalog to, IReadOnlyList<TablePlan> plans)
    {
        foreach (var (copy, found, wanted) in tables.Zip(from.Tables, to.Tables).Where(static table => table.First.Where is not null))
        {
            var settings = plans.FirstOrDefault(plan => plan.Copy == copy)?.Settings ?? ValueSettings.None;
            if (found is { Kind: 'r' or 'p', MayUseSchema: true })
                await Attempts.ConditionAsync(source, "source", copy, found.Name, settings, problems, cancellationToken).ConfigureAwait(false);
            if (!options.Writes && wanted is { Kind: 'r' or 'p' or 'f', MayUseSchema: true })
                await Attempts.ConditionAsync(target, "target", copy, wanted.Name, settings, problems, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task CheckPartitionsAsync(IReadOnlyList<TablePlan> plans)
    {
        foreach (var (plan, relation) in plans.SelectMany(plan => plan.Relations, static (plan, relation) => (plan, relation)))
        {
            if (await Partitioner.WhyNotByKeyAsync(source, plan, relation, cancellationToken).ConfigureAwait(false) is { } why)
                problems.Add(plan.Source, $"{relation.Name} cannot be cut by its primary key: {why}", $"use {Partitioner.OtherThanKey}");
        }
    }

    private async Task CheckConnectionsAsync(ServerFacts from, ServerFacts to)
    {
        List<(ConnectionBudget, ConnectionDemand)> sides = [];
        if (options.Source is { } onSource)
            sides.Add((await ConnectionBudget.ReadAsync(source, from, cancellationToken).ConfigureAwait(false), onSource));
        if (options.Target is { } onTarget)
            sides.Add((await ConnectionBudget.ReadAsync(target, to, cancellationToken).ConfigureAwait(false), onTarget));
        ConnectionBudget.Check(sides, problems);
    }

    private async Task CheckTargetAsync(ServerFacts facts)
    {
        if (facts.IsReadOnly)
            problems.Add($"the target {facts.Database} is read-only, a standby perhaps", "use the primary");
        await TargetRights.CheckAsync(target, facts, tables.Any(static table => table.Mode == TargetMode.Upsert), problems, cancellationToken).ConfigureAwait(false);
        if (options.DisableTriggers)
            await Attempts.ReplicaRoleAsync(target, facts, problems, cancellationToken).ConfigureAwait(false);
        if (options.PauseWhile is { } pause)
            await Attempts.PauseAsync(target, pause, problems, cancellationToken).ConfigureAwait(false);
    }
}
