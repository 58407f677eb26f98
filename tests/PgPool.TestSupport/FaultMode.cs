namespace PgPool.TestSupport;

/// <summary>What a <see cref="FaultProxy"/> does with connects and data.</summary>
public enum FaultMode
{
    /// <summary>Everything goes through.</summary>
    Pass,

    /// <summary>New connects are refused, as by a host whose server is down. Existing connections go on:
    /// see <see cref="FaultProxy.CutAll"/>.</summary>
    Refuse,

    /// <summary>Connects succeed and nothing comes back, on existing connections either, as behind a hanging server or
    /// a firewall that drops. What was held back goes on when the mode changes.</summary>
    Deaf,
}
