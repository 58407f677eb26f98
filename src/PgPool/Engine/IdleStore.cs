namespace PgPool.Engine;

/// <summary>The idle connections in the order of their last use, as an intrusive deque. Guarded by the engine's lock.</summary>
internal sealed class IdleStore<T>(IdleOrder order) where T : class
{
    private readonly bool _lifo = order == IdleOrder.Lifo;

    public int Count { get; private set; }
    public Slot<T>? Newest { get; private set; }
    public Slot<T>? Oldest { get; private set; }

    /// <summary>The one to be lent next.</summary>
    public Slot<T>? First => _lifo ? Newest : Oldest;

    /// <summary>The one to be lent after <paramref name="slot"/>.</summary>
    public Slot<T>? Following(Slot<T> slot) => _lifo ? slot.Older : slot.Newer;

    /// <summary>How many can be lent without asking the server.</summary>
    public int CountFresh(long now)
    {
        var count = 0;
        for (var slot = Newest; slot is not null; slot = slot.Older)
            count += now <= slot.FreshUntil ? 1 : 0;
        return count;
    }

    /// <summary>Puts a connection at the place of its last use: at once for one just used, a short walk for one that was only checked.</summary>
    public void Add(Slot<T> slot)
    {
        var older = Newest;
        while (older is not null && older.UsedAt > slot.UsedAt)
            older = older.Older;

        slot.State = SlotState.Idle;
        slot.Older = older;
        if (older is null)
        {
            slot.Newer = Oldest;
            Oldest = slot;
        }
        else
        {
            slot.Newer = older.Newer;
            older.Newer = slot;
        }
        if (slot.Newer is { } newer)
            newer.Older = slot;
        else
            Newest = slot;
        Count++;
    }

    public void Remove(Slot<T> slot)
    {
        if (slot.Newer is { } newer)
            newer.Older = slot.Older;
        else
            Newest = slot.Older;
        if (slot.Older is { } older)
            older.Newer = slot.Newer;
        else
            Oldest = slot.Newer;
        slot.Newer = slot.Older = null;
        Count--;
    }
}
