namespace PgPool.Migration.Running;

/// <summary>What to do about a failure.</summary>
internal enum FailureKind
{
    /// <summary>Nobody knows how to go on: stop, and say what to change.</summary>
    Fatal,

    /// <summary>Try the partition again, after a while.</summary>
    Transient,

    /// <summary>The server has too little of something: try again with one worker less.</summary>
    Overload,

    /// <summary>It took too long: try again, and if that goes on, with half of it.</summary>
    TimedOut,

    /// <summary>The target refuses a row.</summary>
    BadRow,
}
