namespace PgPool.Migration.Catalogs;

/// <summary>What a run is going to need beside its tables.</summary>
internal sealed record PreflightOptions
{
    /// <summary>The run, for which what other runs did matters; null: it does not.</summary>
    public string? RunId { get; init; }

    /// <summary>Whether the target's triggers and foreign keys are to be suppressed.</summary>
    public bool DisableTriggers { get; init; }

    /// <summary>The caller's SQL that pauses the run.</summary>
    public string? PauseWhile { get; init; }

    /// <summary>False for a verification: the target is only read, and the conditions apply to it too.</summary>
    public bool Writes { get; init; } = true;

    /// <summary>The target's columns that a transformation writes; null where rows go as they are.</summary>
    public IReadOnlyList<string>? TransformsTo { get; init; }

    /// <summary>Connections on the source; null: not checked.</summary>
    public ConnectionDemand? Source { get; init; }

    /// <summary>Connections on the target; null: not checked. Where both sides are one pool, all of it stands in <see cref="Source"/>.</summary>
    public ConnectionDemand? Target { get; init; }
}
