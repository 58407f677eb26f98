namespace PgPool.Migration;

/// <summary>What happens to rows that the target has already.</summary>
public enum TargetMode
{
    /// <summary>They stay, and the copied ones join them.</summary>
    Append,

    /// <summary>
    /// Empties the targets once, all of the run in one statement, when the run starts, never on resume. A foreign key from a table outside the
    /// run is an error before anything is emptied.
    /// </summary>
    Truncate,

    /// <summary>
    /// INSERT … ON CONFLICT DO UPDATE on the target's primary key. Not together with <see cref="BadRows.Reject"/> (<see cref="ArgumentException"/>).
    /// </summary>
    Upsert,
}
