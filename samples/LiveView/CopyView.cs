using PgPool.Migration;

namespace LiveView;

/// <summary>How far the migration is.</summary>
/// <param name="State">What it does, for a person to read.</param>
/// <param name="IsRunning">Whether it can be started again.</param>
/// <param name="Progress">What the run told last, if there is one.</param>
internal sealed record CopyView(string State, bool IsRunning, MigrationProgress? Progress)
{
    public string? Table => Progress?.Table?.ToString();
}
