namespace PgPool.Engine;

/// <summary>What the engine needs of physical connections. It never calls any of this under its lock.</summary>
/// <remarks>
/// Every operation has one code path for both modes: with <c>async</c> false it does its I/O on the calling thread and returns a completed task,
/// so that a caller that blocks its thread never needs one of the thread pool.
/// </remarks>
internal interface IConnectionDriver<T> where T : class
{
    /// <summary>A session failed under its renter, in a way that makes one doubt its server. Raised on any thread, at the moment of the failure.</summary>
    event Action? SessionBroke;

    /// <summary>Opens a session and prepares it for its first lease. Ends by itself within its budget.</summary>
    ValueTask<T> OpenAsync(bool async, CancellationToken cancellationToken);

    /// <summary>The server's name for the session.</summary>
    int BackendProcessId(T connection);

    /// <summary>Whether the server still answers, within a budget of its own. Does not throw.</summary>
    ValueTask<bool> ValidateAsync(T connection, bool async);

    /// <summary>A renter who may have used the session gives it back: called on his thread, in his flow, before anything is done to it. No I/O, does not throw.</summary>
    void Returning(T connection);

    /// <summary>Whether the reset of a session takes the server's time, and nothing is lost when it begins a moment later. No I/O, does not throw.</summary>
    bool MayResetLater(T connection);

    /// <summary>
    /// Cleans a session that comes back from a lease, within a budget of its own. One that takes part in somebody's transaction is waited for first,
    /// never on the calling thread. Does not throw.
    /// </summary>
    /// <param name="connection">The session.</param>
    /// <param name="async">How to do the I/O.</param>
    /// <param name="severing">Cancelled when nobody's transaction is waited for any longer.</param>
    ValueTask<ResetVerdict> ResetAsync(T connection, bool async, CancellationToken severing);

    /// <summary>
    /// Closes a connection, a busy one included, and completes when that is done, or nothing more can be done about it. One that takes part in somebody's transaction is
    /// waited for first. Does not throw.
    /// </summary>
    /// <inheritdoc cref="ResetAsync" path="/param"/>
    ValueTask CloseAsync(T connection, bool async, CancellationToken severing);

    /// <summary>What a failed open means for the waiters.</summary>
    OpenFailure Classify(Exception exception);
}
