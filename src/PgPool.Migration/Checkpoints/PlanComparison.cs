using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Checkpoints;

/// <summary>Whether a call asks for what the run of its id was begun with.</summary>
internal static class PlanComparison
{
    /// <exception cref="MigrationException">It does not; the message says what differs.</exception>
    public static void Check(string runId, StoredRun stored, string kind, IReadOnlyList<TablePlan> plans)
    {
        List<string> differences = [];
        if (stored.Kind != kind)
            differences.Add($"it was begun as {stored.Kind}, not {kind}");

        var asked = plans.ToDictionary(plan => plan.Source.ToString());
        differences.AddRange(asked.Keys.Except(stored.Definitions.Keys).Select(name => $"table {name} is new"));
        foreach (var (name, definition) in stored.Definitions)
        {
            if (!asked.TryGetValue(name, out var plan))
            {
                differences.Add($"table {name} is missing");
                continue;
            }

            foreach (var part in definition.Keys.Union(plan.Definition.Keys))
            {
                var (was, now) = (definition.GetValueOrDefault(part, ""), plan.Definition.GetValueOrDefault(part, ""));
                if (was != now)
                    differences.Add($"{part} of {name}: was \"{was}\", is \"{now}\"");
            }
        }

        if (differences.Count > 0)
        {
            throw new MigrationException(
                $"Run {runId} was begun with another plan:\n- {string.Join("\n- ", differences)}\n"
                + "Ask for what it was begun with to go on, or take another id for another run.");
        }
    }
}
