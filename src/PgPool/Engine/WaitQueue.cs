namespace PgPool.Engine;

/// <summary>Who waits: first come, first served within a priority, higher priorities first. Guarded by the engine's lock.</summary>
internal sealed class WaitQueue<T> where T : class
{
    // By descending priority.
    private readonly Line[] _lines = [new(), new(), new()];
    private readonly Deadlines<T> _deadlines = new();

    /// <summary>Rents that wait; a group counts once.</summary>
    public int Count { get; private set; }

    /// <summary>Connections that are waited for.</summary>
    public int Demand { get; private set; }

    /// <summary>Waiters that block a thread.</summary>
    public int Blocking { get; private set; }

    public bool IsEmpty => Count == 0;

    /// <summary>The next time at which a waiter gives up, of those that do not see to it themselves.</summary>
    public long EarliestDeadline => _deadlines.Earliest;

    /// <summary>The one to be served next.</summary>
    public Waiter<T>? Head => _lines[0].First ?? _lines[1].First ?? _lines[2].First;

    public void Enqueue(Waiter<T> waiter)
    {
        var line = LineOf(waiter);
        waiter.Previous = line.Last;
        if (line.Last is { } last)
            last.Next = waiter;
        else
            line.First = waiter;
        line.Last = waiter;
        waiter.IsQueued = true;
        if (!waiter.TimesItselfOut && waiter.Deadline != Clock.Never)
            _deadlines.Add(waiter);
        Count++;
        Demand += waiter.Need;
        Blocking += waiter.IsBlocking ? 1 : 0;
    }

    public void Remove(Waiter<T> waiter)
    {
        var line = LineOf(waiter);
        if (waiter.Previous is { } previous)
            previous.Next = waiter.Next;
        else
            line.First = waiter.Next;
        if (waiter.Next is { } next)
            next.Previous = waiter.Previous;
        else
            line.Last = waiter.Previous;
        waiter.Next = waiter.Previous = null;
        waiter.IsQueued = false;
        _deadlines.Remove(waiter);
        Count--;
        Demand -= waiter.Need;
        Blocking -= waiter.IsBlocking ? 1 : 0;
    }

    /// <summary>When the one who has waited longest came; null when nobody waits.</summary>
    public long? Oldest()
    {
        long? oldest = null;
        foreach (var line in _lines)
        {
            if (line.First is { } first && !(first.EnqueuedAt >= oldest))
                oldest = first.EnqueuedAt;
        }
        return oldest;
    }

    /// <summary>One whose deadline has passed.</summary>
    public Waiter<T>? FirstPassed(long now) => _deadlines.FirstPassed(now);

    public Waiter<T>? FirstWhere(Func<Waiter<T>, bool> condition)
    {
        foreach (var line in _lines)
        {
            for (var waiter = line.First; waiter is not null; waiter = waiter.Next)
            {
                if (condition(waiter))
                    return waiter;
            }
        }
        return null;
    }

    private Line LineOf(Waiter<T> waiter) => _lines[RentPriority.High - waiter.Priority];

    private sealed class Line
    {
        public Waiter<T>? First;
        public Waiter<T>? Last;
    }
}
