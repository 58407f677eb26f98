namespace PgPool.Sessions;

/// <summary>The server answers, but not as one that can be written to: it may again, or another host may.</summary>
internal sealed class ServerReadOnlyException(string? host, int port)
    : Exception($"The server at {host}:{port} is read-only or a standby, and RequireReadWrite is set.");
