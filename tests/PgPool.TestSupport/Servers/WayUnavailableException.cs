namespace PgPool.TestSupport.Servers;

/// <summary>A way to get a server does not work here; the message says why, and what would make it work.</summary>
internal sealed class WayUnavailableException(string message, Exception? innerException = null) : Exception(message, innerException);
