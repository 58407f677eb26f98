using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Copying;

/// <summary>Where a COPY writes: the table itself, or a temporary table that is then brought into it.</summary>
/// <param name="table">The table.</param>
/// <param name="target">Where it is.</param>
/// <param name="takesText">
/// Whether values may come as text too, whatever their column's type: the temporary table then has a second column for each of <see cref="Texts"/>, from
/// which the target's own input function makes the value.
/// </param>
internal sealed class CopyDestination(TablePlan table, ConnectionLease target, bool takesText = false)
{
    public const string StageName = "pgpool_migration_stage";

    private const string Stage = $"pg_temp.{StageName}";

    private readonly bool _isUpsert = table.Copy.Mode == TargetMode.Upsert;
    private readonly string _columns = Sql.Names(table.Written.Select(column => column.Name));

    /// <summary>The columns that have a second one, behind all others, for text.</summary>
    public IReadOnlyList<CopyColumn> Texts { get; } = takesText ? [.. table.Written.Where(static column => !IsText(column))] : [];

    private bool IsStaged => _isUpsert || takesText;

    /// <summary>The columns are named: their order may differ. A table without any takes no list.</summary>
    public string CopyFrom(string format)
    {
        var texts = string.Concat(Texts.Select((_, i) => $", {TextName(i)}"));
        return $"COPY {(IsStaged ? Stage : table.Target)}{(_columns.Length == 0 ? "" : $" ({_columns}{texts})")} FROM STDIN (FORMAT {format})";
    }

    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        // With texts, of the types below all domains: a value that comes as text is NULL in its own column.
        var columns = takesText
            ? string.Concat(table.Written.Select(static column => $"NULL::{column.TargetType} AS {Sql.Name(column.Name)}, "))
                + string.Join(", ", Texts.Select(static (_, i) => $"NULL::text AS {TextName(i)}"))
            : _columns;
        if (IsStaged)
        {
            await target.ExecuteAsync(
                $"CREATE TEMP TABLE {StageName} ON COMMIT DROP AS SELECT {columns.TrimEnd(' ', ',')} FROM {table.Target} WITH NO DATA",
                cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (IsStaged)
            await target.ExecuteAsync($"{Merge()}; DROP TABLE {Stage}", cancellationToken).ConfigureAwait(false);
    }

    private string Merge()
    {
        var insert = $"INSERT INTO {table.Target} ({_columns}) OVERRIDING SYSTEM VALUE SELECT {string.Join(", ", table.Written.Select(Value))} FROM {Stage}";
        if (!_isUpsert)
            return insert;
        var changes = string.Join(", ", table.Written
            .Where(column => !table.TargetKey.Contains(column.Name))
            .Select(column => $"{Sql.Name(column.Name)} = excluded.{Sql.Name(column.Name)}"));
        return $"""
            {insert}
            ON CONFLICT ({Sql.Names(table.TargetKey)}) DO {(changes.Length == 0 ? "NOTHING" : $"UPDATE SET {changes}")}
            """;
    }

    private string Value(CopyColumn column)
    {
        var name = Sql.Name(column.Name);
        var text = Texts.ToList().IndexOf(column);
        return text < 0 ? name : $"CASE WHEN {TextName(text)} IS NULL THEN {name} ELSE {TextName(text)}::{column.TargetType} END";
    }

    private static string TextName(int number) => $"pgpool_text_{number}";

    // Their values are strings as they are.
    private static bool IsText(CopyColumn column) =>
        column.TargetType is "text" or "character varying" or "bpchar" or "character" or "name" or "json" or "jsonb" or "xml" or "bytea";
}
