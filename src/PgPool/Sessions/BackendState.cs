namespace PgPool.Sessions;

/// <summary>What is known of a backend that was to be terminated.</summary>
internal enum BackendState
{
    /// <summary>Terminated.</summary>
    Gone,

    /// <summary>The server has no backend of this number for our role and database.</summary>
    NotThere,

    /// <summary>It could not be asked for, or has not ended in time.</summary>
    Unknown,
}
