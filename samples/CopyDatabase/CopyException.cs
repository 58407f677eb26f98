namespace CopyDatabase;

/// <summary>The copy cannot be made; the message tells the user what to change.</summary>
internal sealed class CopyException(string message) : Exception(message);
