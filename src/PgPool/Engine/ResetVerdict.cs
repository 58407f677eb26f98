namespace PgPool.Engine;

/// <summary>What became of a session at its return.</summary>
/// <param name="Retire">Null: clean, lend it again. Otherwise why it is closed.</param>
/// <param name="WasDirty">It came back with an open transaction, a running command, or an open reader or COPY.</param>
/// <param name="AnsweredNow">The server answered during the reset: the session is alive.</param>
/// <param name="Error">What went wrong, if anything did.</param>
/// <param name="ServerIsSuspect">It failed in a way that says something of the server, and so of the other sessions.</param>
internal readonly record struct ResetVerdict(
    CloseReason? Retire = null, bool WasDirty = false, bool AnsweredNow = false, Exception? Error = null, bool ServerIsSuspect = false);
