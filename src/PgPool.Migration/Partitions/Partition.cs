using System.Globalization;
using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Partitions;

/// <summary>A share of a table's rows: what one worker copies at a time, in one transaction.</summary>
/// <param name="Table">The table of the run.</param>
/// <param name="Relation">The relation its rows are in.</param>
/// <param name="Kind">What the bounds are.</param>
/// <param name="Lower">The first value or block; null: from the beginning.</param>
/// <param name="Upper">The first value or block that is not in it; null: to the end, however far that is.</param>
/// <param name="Bytes">An estimate of heap and TOAST.</param>
internal sealed record Partition(TablePlan Table, Relation Relation, PartitionKind Kind, string? Lower, string? Upper, long Bytes)
{
    /// <summary>Its number in the run; given when the plan is stored.</summary>
    public int Number { get; init; }

    /// <summary>The SQL condition for its rows within its relation, the table's own condition not included.</summary>
    public string Bounds => Kind switch
    {
        PartitionKind.Key => Range(Sql.Name(Relation.Key!.Name), bound => $"{Sql.Literal(bound)}::{Relation.Key.Type}"),
        PartitionKind.Blocks => Range("ctid", block => $"'({long.Parse(block, CultureInfo.InvariantCulture)},0)'::tid"),
        _ => "true",
    };

    /// <summary>Its relation, for a FROM clause: known by the table's name, which the caller's condition may use.</summary>
    public string From => $"ONLY {Relation.Name} AS {Sql.Name(Table.Source.Name)}";

    /// <summary>The SQL condition for the rows to be copied.</summary>
    /// <remarks>On lines of its own: the caller's condition may end in a comment.</remarks>
    public string Condition => Table.Copy.Where is { } where ? $"{Bounds} AND (\n{where}\n)" : Bounds;

    /// <summary>Table and bounds, for people.</summary>
    public override string ToString() => Kind == PartitionKind.Whole ? Relation.Name.ToString() : $"{Relation.Name} WHERE {Bounds}";

    private string Range(string column, Func<string, string> literal) => (Lower, Upper) switch
    {
        (null, null) => "true",
        ({ } lower, null) => $"{column} >= {literal(lower)}",
        (null, { } upper) => $"{column} < {literal(upper)}",
        ({ } lower, { } upper) => $"{column} >= {literal(lower)} AND {column} < {literal(upper)}",
    };
}
