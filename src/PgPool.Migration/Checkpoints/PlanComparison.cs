using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Checkpoints;

/// <summary>Whether a call may go on with the run of its id.</summary>
/// <remarks>
/// The rule: only what makes rows that are done wrong stands against it. Those are the parts of a definition in <see cref="Decisive"/>, another kind of run,
/// tables that come in, and ones that go while rows of them are left. All else may change, as a cure for what stopped the run: the preflight has found
/// that what is left can be done as it is asked for now, and RelationChanges sees to the source's partitions and keys.
/// </remarks>
internal static class PlanComparison
{
    // Each with what to do where it differs: was, is.
    private static readonly Dictionary<string, Func<string, string, string>> Decisive = new()
    {
        ["source"] = static (_, _) => "",
        ["target"] = static (_, _) => "rows that are done are in the one that it was",
        ["columns"] = static (was, _) => $"rows that are done have these alone: name them in {nameof(TableCopy)}.{nameof(TableCopy.Columns)}, {was}",
        ["target columns"] = static (was, _) => $"rows that are done have these alone: {was}",
        ["where"] = static (_, _) => "rows that are done were chosen by the condition that it was",
        ["sql"] = static (_, _) => "ranges that are done were changed by the statement that it was",
    };

    /// <exception cref="MigrationException">It may not; the message says what differs, and what to do.</exception>
    public static void Check(string runId, StoredRun stored, string kind, IReadOnlyList<TablePlan> plans)
    {
        List<string> differences = [];
        List<string> others = [];
        if (stored.Kind != kind)
            differences.Add($"it was begun as {stored.Kind}, not {kind}");

        var asked = plans.ToDictionary(plan => plan.Source.ToString());
        differences.AddRange(asked.Keys.Except(stored.Definitions.Keys).Select(name => $"table {name} is new: copy it by a run of its own"));
        foreach (var (name, definition) in stored.Definitions)
        {
            if (asked.TryGetValue(name, out var plan))
                differences.AddRange(Compare(name, definition, plan.Definition));
            else if (stored.IsUnfinished(name))
            {
                differences.Add($"table {name} is missing, and is not done: name it too; or, if it is dropped or its rows are not wanted, tell the target: "
                    + $"DELETE FROM {StoreSchema.Name}.partitions WHERE run_id = {Sql.Literal(runId)} AND source_table = {Sql.Literal(name)} AND done_at IS NULL");
            }
            else
                others.Add($"table {name} is missing, and is done");
        }

        if (differences.Count > 0)
        {
            throw new MigrationException(
                $"Run {runId} was begun with another plan:\n- {string.Join("\n- ", [.. differences, .. others])}\n"
                + $"Ask for what it was begun with to go on, or take another id, with {nameof(TargetMode)}.{nameof(TargetMode.Truncate)} or another target, for another run.");
        }
    }

    private static IEnumerable<string> Compare(string table, IReadOnlyDictionary<string, string> stored, IReadOnlyDictionary<string, string> asked)
    {
        foreach (var (part, cure) in Decisive)
        {
            var (was, now) = (stored.GetValueOrDefault(part, ""), asked.GetValueOrDefault(part, ""));
            if (was != now)
                yield return $"{part} of {table}: was \"{was}\", is \"{now}\": {cure(was, now)}";
        }

        var (mode, wanted) = (stored.GetValueOrDefault("mode", ""), asked.GetValueOrDefault("mode", ""));
        if (mode != wanted && wanted == nameof(TargetMode.Truncate))
            yield return $"mode of {table}: was \"{mode}\", is \"{wanted}\": it would empty the target of rows that are done";

        // Of an update in place.
        var (key, keyNow) = (stored.GetValueOrDefault("key", ""), asked.GetValueOrDefault("key", ""));
        if (key != keyNow && !KeyOrder.IsSameText(key, keyNow))
            yield return $"key of {table}: was \"{key}\", is \"{keyNow}\": ranges that are done are told from others by the key that it was";
    }
}
