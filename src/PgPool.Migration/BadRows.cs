namespace PgPool.Migration;

/// <summary>What happens to rows that the target refuses.</summary>
public enum BadRows
{
    /// <summary>A row that the target refuses fails the run with an error that names table, partition and row.</summary>
    Fail,

    /// <summary>
    /// Such rows go to the target's table pgpool_migration.rejected (run_id, table_name, partition, row, sqlstate, error, rejected_at: text but the
    /// last; row as PostgreSQL prints a row); the others arrive.
    /// </summary>
    Reject,
}
