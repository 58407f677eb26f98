namespace PgPool.Migration.Catalogs;

/// <summary>What stands against a run: collected, as nobody wants to hear of one at a time.</summary>
internal sealed class Problems
{
    private readonly List<(TableName? Table, string Text)> _found = [];

    /// <summary>Something that is no matter of one table.</summary>
    public void Add(string what, string cure) => _found.Add((null, $"{what}; {cure}"));

    /// <summary>Something about a table of the run.</summary>
    public void Add(TableName table, string what, string cure) => _found.Add((table, $"{table}: {what}; {cure}"));

    /// <exception cref="MigrationException">There are problems: all of them.</exception>
    public void ThrowIfAny()
    {
        // Copy and verification may both need what is missing.
        var found = _found.Distinct().ToList();
        if (found.Count == 0)
            return;
        var tables = found.Select(static problem => problem.Table).Distinct().ToList();
        var count = found.Count == 1 ? "1 problem" : $"{found.Count} problems";
        throw new MigrationException($"The run cannot begin: {count}:\n{string.Join('\n', found.Select(static problem => $"- {problem.Text}."))}")
        {
            Table = tables is [{ } only] ? only : null,
        };
    }
}
