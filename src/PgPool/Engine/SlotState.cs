namespace PgPool.Engine;

/// <summary>Where a connection is. It is in exactly one place at a time, and holds a permit in all of them.</summary>
internal enum SlotState
{
    /// <summary>In the idle store.</summary>
    Idle,

    /// <summary>Lent: the slot holds the connection weakly.</summary>
    Leased,

    /// <summary>Back from a lease, being cleaned.</summary>
    Resetting,

    /// <summary>Taken out of the idle store, being pinged.</summary>
    Checking,

    /// <summary>On its way out; the permit comes back when it is gone.</summary>
    Closing,

    /// <summary>Gone.</summary>
    Closed,
}
