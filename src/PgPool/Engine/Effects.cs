namespace PgPool.Engine;

/// <summary>What a change of state asks to be done once the lock is released: nothing of it may run under the lock.</summary>
internal struct Effects<T> where T : class
{
    private Waiter<T>? _firstSettled;
    private Waiter<T>? _lastSettled;
    private Slot<T>? _toClose;
    private Slot<T>? _firstToCheck;
    private Slot<T>? _lastToCheck;
    private List<Slot<T>>? _toReset;
    private List<(Watcher Watcher, Exception? Error)>? _completed;

    /// <summary>Opens to start; each has its permit already.</summary>
    public int Opens { get; set; }

    /// <summary>The generation that those opens belong to.</summary>
    public int Generation { get; set; }

    /// <summary>Some blocked thread waits for this work: it must not depend on a thread of the thread pool.</summary>
    public bool ForBlocked { get; set; }

    /// <summary>Close on this thread, which wants to see them closed.</summary>
    public bool CloseHere { get; set; }

    /// <summary>The time at which the engine looks at its demand again has changed.</summary>
    public bool WakeChanged { get; set; }

    public void Signal(Waiter<T> settled)
    {
        if (_lastSettled is null)
            _firstSettled = settled;
        else
            _lastSettled.Next = settled;
        _lastSettled = settled;
    }

    public void Close(Slot<T> slot)
    {
        slot.Older = _toClose;
        _toClose = slot;
    }

    /// <summary>In the order of the calls: the longest idle first.</summary>
    public void Check(Slot<T> slot)
    {
        if (_lastToCheck is null)
            _firstToCheck = slot;
        else
            _lastToCheck.Older = slot;
        _lastToCheck = slot;
    }

    public void Reset(Slot<T> slot) => (_toReset ??= []).Add(slot);

    public void Complete(Watcher watcher, Exception? error) => (_completed ??= []).Add((watcher, error));

    /// <summary>Does it all, once, in the order of who waits for it.</summary>
    public readonly void Run(PoolEngine<T> engine)
    {
        // Each link is read before its object is let go: a signalled waiter or a checked slot may be in another list at once.
        for (Waiter<T>? waiter = _firstSettled, next; waiter is not null; waiter = next)
        {
            next = waiter.Next;
            waiter.Next = null;
            waiter.Signal();
        }
        if (WakeChanged)
            engine.ArmWakeUp(ForBlocked);
        if (_toReset is not null)
        {
            foreach (var slot in _toReset)
                engine.StartReset(slot, ForBlocked);
        }
        for (Slot<T>? slot = _firstToCheck, next; slot is not null; slot = next)
        {
            next = slot.Older;
            slot.Older = null;
            engine.StartCheck(slot, ForBlocked);
        }
        for (var i = 0; i < Opens; i++)
            engine.StartOpen(Generation, ForBlocked);
        for (Slot<T>? slot = _toClose, next; slot is not null; slot = next)
        {
            next = slot.Older;
            slot.Older = null;
            engine.StartClose(slot, ForBlocked, CloseHere);
        }
        _completed?.ForEach(static completed => completed.Watcher.Complete(completed.Error));
    }
}
