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
        if (_found.Count == 0)
            return;
        var tables = _found.Select(static problem => problem.Table).Distinct().ToList();
        var count = _found.Count == 1 ? "1 problem" : $"{_found.Count} problems";
        throw new MigrationException($"The run cannot begin: {count}:\n{string.Join('\n', _found.Select(static problem => $"- {problem.Text}."))}")
        {
            Table = tables is [{ } only] ? only : null,
        };
    }
}
