namespace PgPool.Migration;

/// <summary>A table to be copied, and how.</summary>
/// <param name="Source">The table to read.</param>
public sealed record TableCopy(TableName Source)
{
    /// <summary>A table by its name as <see cref="TableName.Parse"/> reads it.</summary>
    /// <param name="source">"orders", "sales.orders", "\"Sales\".\"Orders\"".</param>
    /// <exception cref="FormatException">Not one or two parts.</exception>
    public TableCopy(string source) : this(TableName.Parse(source))
    {
    }

    /// <summary>The table to write. Null, the default: the same name.</summary>
    public TableName? Target { get; init; }

    /// <summary>
    /// Names of columns, as the catalog has them (not quoted). Null, the default: all columns that are in both tables but generated ones. Columns of
    /// the source that the target lacks are an error.
    /// </summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>SQL condition on the source rows; verification applies it to the target too. Null, the default: all rows.</summary>
    public string? Where { get; init; }

    /// <summary>How the table is cut into partitions. The default is <see cref="PartitionBy.Auto"/>.</summary>
    public PartitionBy PartitionBy { get; init; } = PartitionBy.Auto;

    /// <summary>What happens to rows that the target has already. The default is <see cref="TargetMode.Append"/>.</summary>
    public TargetMode Mode { get; init; } = TargetMode.Append;

    /// <summary>What happens to rows that the target refuses. The default is <see cref="BadRows.Fail"/>.</summary>
    public BadRows BadRows { get; init; } = BadRows.Fail;

    /// <summary>
    /// Appends even what a run of another id has brought from the same table into the same one already, so that rows are there twice. The default is
    /// false: such a run is refused with that run's id and date, unless the target is empty by now.
    /// </summary>
    public bool AllowRepeat { get; init; }

    /// <summary>The table to write: <see cref="Target"/>, or the one of the source's name.</summary>
    internal TableName TargetName => Target ?? Source;
}
