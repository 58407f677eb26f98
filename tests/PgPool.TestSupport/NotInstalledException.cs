namespace PgPool.TestSupport;

/// <summary>Programs that are not on this machine are needed. The message names them and the command that installs them.</summary>
/// <param name="message">What is needed, what for, and how to install it.</param>
public sealed class NotInstalledException(string message) : InvalidOperationException(message);
