namespace PgPool.Tests.Engine.Kit;

/// <summary>How a call of the driver ends.</summary>
public enum Answer
{
    Ok,

    /// <summary>It waits at its gate until the test releases it.</summary>
    Slow,

    /// <summary>An open: it failed and another may succeed. Another call: the connection is dead.</summary>
    Error,

    /// <summary>An open: the server has no place for another session.</summary>
    ServerFull,

    /// <summary>An open: the server refused for good.</summary>
    Refused,

    /// <summary>It ends as a cancelled call does.</summary>
    Cancelled,
}
