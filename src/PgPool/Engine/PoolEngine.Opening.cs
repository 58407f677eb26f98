namespace PgPool.Engine;

// Physical connections come: opened in the background, never on a renter's time or at its cancellation.
internal sealed partial class PoolEngine<T>
{
    /// <summary>Cancelled when the pool closes: opens under way end.</summary>
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>The last open was refused in a way that another attempt would not change.</summary>
    private bool _refusedForGood;

    private Exception? _lastOpenError;

    /// <summary>Starts one open; its permit is taken.</summary>
    public void StartOpen(int generation, bool forBlocked)
        => Background.Run(forBlocked, static (start, async) => _ = start.Engine.OpenAsync(start.Generation, async), (Engine: this, Generation: generation));

    private async Task OpenAsync(int generation, bool async)
    {
        var startedAt = Clock.Now;
        var suspicions = Volatile.Read(ref _suspicions);
        T connection;
        int backendProcessId;
        try
        {
            connection = await _driver.OpenAsync(async, _stopping.Token).ConfigureAwait(false);
            backendProcessId = _driver.BackendProcessId(connection);
        }
        // Whatever it was, waiters have to hear of it.
        catch (Exception exception)
        {
            OpenFailed(exception, startedAt);
            return;
        }
        Opened(connection, backendProcessId, generation, suspicions, startedAt);
    }

    private void Opened(T connection, int backendProcessId, int generation, int suspicions, long startedAt)
    {
        var effects = new Effects<T>();
        TimeSpan took;
        lock (_lock)
        {
            var now = Clock.Now;
            took = Clock.Span(now - startedAt);
            var slot = new Slot<T>(connection, generation, backendProcessId, now, Clock.After(now, Lifetime())) { Index = _slots.Count };
            slot.Asked(suspicions);
            slot.Answered(now);
            _slots.Add(slot);
            WatchForDrop(connection);
            _opening--;
            _totals.Opened++;
            _backoff.Succeeded(startedAt);
            _refusedForGood = false;
            _lastOpenError = null;
            _growth.Opened(now, now - startedAt);
            if (ReasonNotToKeep(slot, now) is { } reason)
            {
                BeginClose(slot, reason, ref effects);
            }
            else
            {
                AddIdle(slot, freshFrom: now);
            }
            Settle(now, unmet: 0, ref effects);
        }
        effects.Run(this);
        _events.Opened(backendProcessId, took);
    }

    private void OpenFailed(Exception exception, long startedAt)
    {
        var effects = new Effects<T>();
        var failure = _driver.Classify(exception);
        bool closed;
        int connections;
        lock (_lock)
        {
            var now = Clock.Now;
            _opening--;
            closed = _closed;
            connections = Total;
            if (!closed)
            {
                _totals.OpenFailed++;
                _lastOpenError = exception;
                _backoff.Failed(startedAt, now, slowly: failure == OpenFailure.ServerFull);
                _refusedForGood = failure == OpenFailure.Permanent;
                if (_refusedForGood)
                    FailThoseBefore(startedAt, exception, now, ref effects);
            }
            Settle(now, unmet: 0, ref effects);
        }
        effects.Run(this);
        if (!closed)
            _events.OpenFailed(exception, failure, connections);
    }

    /// <summary>Who came later has the server asked again: the cause may have been removed meanwhile.</summary>
    private void FailThoseBefore(long startedAt, Exception exception, long now, ref Effects<T> effects)
    {
        while (_waiters.FirstWhere(waiter => waiter.EnqueuedAt <= startedAt) is { } waiter)
            Refuse(waiter, RentOutcome.ConnectFailed, now, ref effects, exception);
        foreach (var watcher in _watchers.Where(static watcher => watcher.FailsWithOpens).ToArray())
        {
            effects.Complete(watcher, exception);
            _watchers.Remove(watcher);
        }
    }

    /// <summary>The lifetime of one connection, drawn once, so that connections opened together do not all go together.</summary>
    private long Lifetime()
    {
        if (_maxLifetime == Clock.Never)
            return Clock.Never;
        return (long)(_maxLifetime * (1 - _options.LifetimeJitter * Random.Shared.NextDouble()));
    }
}
