using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Copying;

/// <summary>Where a COPY writes: the table itself, or for an upsert a temporary table that is merged into it.</summary>
internal sealed class CopyDestination(TablePlan table, ConnectionLease target)
{
    public const string StageName = "pgpool_migration_stage";

    private const string Stage = $"pg_temp.{StageName}";

    private readonly bool _isUpsert = table.Copy.Mode == TargetMode.Upsert;
    private readonly string _columns = Sql.Names(table.Written.Select(column => column.Name));

    /// <summary>The columns are named: their order may differ. A table without any takes no list.</summary>
    public string CopyFrom(string format) =>
        $"COPY {(_isUpsert ? Stage : table.Target)}{(_columns.Length == 0 ? "" : $" ({_columns})")} FROM STDIN (FORMAT {format})";

    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        if (_isUpsert)
        {
            await target.ExecuteAsync(
                $"CREATE TEMP TABLE {StageName} ON COMMIT DROP AS SELECT {_columns} FROM {table.Target} WITH NO DATA",
                cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (_isUpsert)
            await target.ExecuteAsync($"{Merge()}; DROP TABLE {Stage}", cancellationToken).ConfigureAwait(false);
    }

    private string Merge()
    {
        var changes = string.Join(", ", table.Written
            .Where(column => !table.TargetKey.Contains(column.Name))
            .Select(column => $"{Sql.Name(column.Name)} = excluded.{Sql.Name(column.Name)}"));
        return $"""
            INSERT INTO {table.Target} ({_columns}) OVERRIDING SYSTEM VALUE SELECT {_columns} FROM {Stage}
            ON CONFLICT ({Sql.Names(table.TargetKey)}) DO {(changes.Length == 0 ? "NOTHING" : $"UPDATE SET {changes}")}
            """;
    }
}
