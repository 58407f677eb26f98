namespace PgPool.Engine;

/// <summary>When waiters give up: one timer, the engine's, serves them all. Guarded by the engine's lock.</summary>
/// <remarks>
/// They stand in lines in which the deadlines ascend, so that only the first of each need be looked at. Most rents of a pool have the same time-out:
/// then one line has them all, and joining and leaving it costs the same however long it is.
/// </remarks>
internal sealed class Deadlines<T> where T : class
{
    private readonly List<LinkedList<Waiter<T>>> _lines = [];

    /// <summary>The next one to pass, or <see cref="Clock.Never"/>.</summary>
    public long Earliest
    {
        get
        {
            var earliest = Clock.Never;
            foreach (var line in _lines)
                earliest = Math.Min(earliest, DeadlineOf(line.First!));
            return earliest;
        }
    }

    public Waiter<T>? FirstPassed(long now)
    {
        foreach (var line in _lines)
        {
            if (DeadlineOf(line.First!) <= now)
                return line.First!.Value;
        }
        return null;
    }

    public void Add(Waiter<T> waiter)
    {
        foreach (var line in _lines)
        {
            if (DeadlineOf(line.Last!) > waiter.Deadline)
                continue;
            line.AddLast(waiter.InDeadlines);
            return;
        }
        _lines.Add(new LinkedList<Waiter<T>>());
        _lines[^1].AddLast(waiter.InDeadlines);
    }

    /// <summary>Does nothing for one that has no deadline here.</summary>
    public void Remove(Waiter<T> waiter)
    {
        if (waiter.InDeadlines.List is not { } line)
            return;
        line.Remove(waiter.InDeadlines);
        if (line.Count == 0)
            _lines.Remove(line);
    }

    private static long DeadlineOf(LinkedListNode<Waiter<T>> node) => node.Value.Deadline;
}
