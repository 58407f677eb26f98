using System.Runtime.CompilerServices;

namespace PgPool.Engine;

// Leases that were dropped without being returned.
internal sealed partial class PoolEngine<T>
{
    /// <summary>A sentinel for each connection. Keyed weakly: while a connection is lent, nothing of the pool may keep it reachable.</summary>
    private readonly ConditionalWeakTable<T, DropSentinel> _sentinels = [];

    /// <summary>A thread is about to look for what was abandoned.</summary>
    private bool _looks;

    private void WatchForDrop(T connection) => _sentinels.Add(connection, new DropSentinel(this));

    /// <summary>The pool itself closes the connection.</summary>
    private void StopWatchingForDrop(T connection)
    {
        if (_sentinels.TryGetValue(connection, out var sentinel))
            sentinel.Dispose();
    }

    /// <summary>Takes back the places of leases that nobody can reach any more.</summary>
    private void TakeBackAbandoned()
    {
        var effects = new Effects<T>();
        List<RentRequest>? abandoned = null;
        lock (_lock)
        {
            var now = Clock.Now;
            foreach (var slot in _slots.Where(static slot => slot.State == SlotState.Leased && !slot.TryReach(out _)))
            {
                (abandoned ??= []).Add(slot.Request);
                _totals.Abandoned++;
                TakeBack(slot, connection: null, now);
                BeginClose(slot, CloseReason.Abandoned, ref effects);
            }
            if (abandoned is null)
                return;
            Settle(now, unmet: 0, ref effects);
        }
        effects.Run(this);
        abandoned.ForEach(_events.Abandoned);
    }

    /// <summary>Dies with its connection, and tells the pool at once: somebody may wait for its place.</summary>
    private sealed class DropSentinel(PoolEngine<T> engine) : IDisposable
    {
        // On a thread of its own, one for all that die together: the finalizer's is not ours to block, and blocked rents may hold the whole thread pool.
        ~DropSentinel()
        {
            if (Interlocked.Exchange(ref engine._looks, true))
                return;
            Background.Run(forBlocked: true, static (engine, _) =>
            {
                Volatile.Write(ref engine._looks, false);
                engine.TakeBackAbandoned();
            }, engine);
        }

        /// <summary>There is nothing to tell.</summary>
        public void Dispose() => GC.SuppressFinalize(this);
    }
}
