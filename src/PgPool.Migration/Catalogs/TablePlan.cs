namespace PgPool.Migration.Catalogs;

/// <summary>A table of the run with all that was found out about it on both sides.</summary>
internal sealed record TablePlan
{
    /// <summary>What the caller asked for.</summary>
    public required TableCopy Copy { get; init; }

    public TableName Source => Copy.Source;

    public TableName Target => Copy.TargetName;

    /// <summary>The columns that are copied, in the source's order; of a verification, those compared: with those that both sides generate.</summary>
    public required IReadOnlyList<CopyColumn> Columns { get; init; }

    /// <summary>The columns that are written: those that are copied, but for a transformation.</summary>
    public IReadOnlyList<CopyColumn> Written => Transformed ?? Columns;

    /// <summary>The target's columns that a transformation writes; null where rows are copied as they are.</summary>
    public IReadOnlyList<CopyColumn>? Transformed { get; init; }

    public required CopyFormat Format { get; init; }

    /// <summary>What is set where its values are read and written.</summary>
    public ValueSettings Settings { get; init; } = ValueSettings.None;

    /// <summary>The columns of the source's primary key, by which a bad row is named; empty without one.</summary>
    public required IReadOnlyList<string> SourceKey { get; init; }

    /// <summary>The columns of the target's primary key, by which an upsert finds its rows; empty without one.</summary>
    public required IReadOnlyList<string> TargetKey { get; init; }

    /// <summary>Where the rows are: the table itself, or the leaves of a partitioned one.</summary>
    public required IReadOnlyList<Relation> Relations { get; init; }

    /// <summary>Where the target's rows are.</summary>
    public IReadOnlyList<Relation> TargetRelations { get; init; } = [];

    /// <summary>
    /// Tables of one wave go in any order, and need those of the waves before: the target's foreign keys. All 0 where they are not checked.
    /// </summary>
    public int Wave { get; init; }

    /// <summary>Refers to itself by a foreign key that is checked: only one COPY of all rows can satisfy it.</summary>
    public bool IsIndivisible { get; init; }

    /// <summary>
    /// What makes this plan this plan, name by name ("columns", "where", "source schema", …): stored with the run, and compared when it is resumed.
    /// </summary>
    public required IReadOnlyDictionary<string, string> Definition { get; init; }
}
