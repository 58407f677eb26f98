namespace PgPool.Sessions;

/// <summary>A hook of the user's threw. Kept apart from failures of the server, which its cause may look like.</summary>
internal sealed class HookFailedException(string hook, Exception inner) : Exception($"The hook {hook} failed", inner);
