namespace PgPool.Engine;

/// <summary>What a failure to open means.</summary>
internal enum OpenFailure
{
    /// <summary>Worth another try soon: one prober goes on while waiters wait.</summary>
    Transient,

    /// <summary>The server has no place for another session: back-pressure, so try again slowly.</summary>
    ServerFull,

    /// <summary>The same attempt would fail again: waiters are told at once.</summary>
    Permanent,
}
