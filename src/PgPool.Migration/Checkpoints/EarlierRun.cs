namespace PgPool.Migration.Checkpoints;

/// <summary>A table of another run that wrote rows into one of the targets.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Began">When, as text in UTC.</param>
/// <param name="BeganAt">When.</param>
/// <param name="Rows">How many rows it wrote.</param>
/// <param name="LastAt">When it wrote the last of them; null where it wrote none.</param>
/// <param name="Definition">What its plan was made of.</param>
internal sealed record EarlierRun(
    string RunId, string Began, DateTimeOffset BeganAt, long Rows, DateTimeOffset? LastAt, IReadOnlyDictionary<string, string> Definition)
{
    public string Source => Part("source");

    public string Target => Part("target");

    public string? Where => Part("where") is { Length: > 0 } where ? where : null;

    /// <summary>Which database it read; empty where that is not known.</summary>
    public string SourceDatabase => Part(EarlierRuns.SourceDatabase);

    public bool Emptied => Part("mode") == nameof(TargetMode.Truncate);

    private string Part(string name) => Definition.GetValueOrDefault(name, "");
}
