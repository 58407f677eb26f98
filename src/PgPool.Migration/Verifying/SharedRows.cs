using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Verifying;

/// <summary>
/// Tables of one run whose targets share rows, as where children by INHERITS go to the partitions of what their parent goes to. Rows of
/// the parent itself may then be in any partition: if one by one they do not match, all of them together may.
/// </summary>
internal sealed class SharedRows
{
    private readonly IReadOnlyList<TablePlan> _plans;

    // Those that share rows with another, of all tables mostly none.
    private readonly List<int> _sharing;

    public SharedRows(IReadOnlyList<TablePlan> plans)
    {
        _plans = plans;
        _sharing = [.. plans.Index().SelectMany(static plan => plan.Item.TargetRelations.Select(relation => (relation.Name, plan.Index)))
            .GroupBy(static pair => pair.Name, static pair => pair.Index).Where(static plans => plans.Count() > 1)
            .SelectMany(static plans => plans).Distinct().Order()];
    }

    /// <summary>The tables, each with what no other has for its own.</summary>
    public IReadOnlyList<TablePlan> Divided
    {
        get
        {
            TablePlan[] divided = [.. _plans];
            foreach (var i in _sharing)
            {
                var others = _sharing.Where(other => IsWithin(other, i)).SelectMany(Names).ToHashSet();
                divided[i] = divided[i] with { TargetRelations = [.. divided[i].TargetRelations.Where(relation => !others.Contains(relation.Name))] };
            }

            return divided;
        }
    }

    /// <summary>The tables, by number, that may match only together. Not where conditions choose among the rows.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Groups
    {
        get
        {
            var all = _sharing.Where(i => _plans[i].Copy.Where is null).ToList();
            List<List<int>> groups = [.. all
                .Select(i => all.Where(other => other == i || AreOne(other, i) || IsWithin(other, i)).ToList())
                .Where(static group => group.Count > 1).OrderByDescending(static group => group.Count)];
            return [.. groups.Where((group, number) => !groups.Take(number).Any(larger => group.TrueForAll(larger.Contains)))];
        }
    }

    private bool AreOne(int one, int other) => _plans[one].Target == _plans[other].Target;

    private bool IsWithin(int part, int whole)
    {
        var (parts, all) = (Names(part).ToHashSet(), Names(whole).ToHashSet());
        return !AreOne(part, whole) && parts.Count > 0 && parts.IsSubsetOf(all) && (parts.Count < all.Count || parts.Contains(_plans[part].Target));
    }

    private IEnumerable<TableName> Names(int plan) => _plans[plan].TargetRelations.Select(static relation => relation.Name);
}
