namespace PgPool.Engine;

// One connection that fails makes one doubt all that have not answered since.
internal sealed partial class PoolEngine<T>
{
    /// <summary>How often the server came under suspicion. Connections that have not answered since are checked before they are lent.</summary>
    private int _suspicions;

    /// <summary>A connection failed in a way that says something of the server: all that have not answered since must, before they are lent.</summary>
    private void Suspect()
    {
        _suspicions++;
        for (var slot = _idle.Newest; slot is not null; slot = slot.Older)
            slot.FreshUntil = long.MinValue;
    }

    private void OnSessionBroke()
    {
        lock (_lock)
            Suspect();
    }

    private bool IsSuspect(Slot<T> slot) => slot.AnsweredSuspicions != _suspicions;
}
