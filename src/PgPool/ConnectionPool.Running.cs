using Npgsql;
using PgPool.Engine;

namespace PgPool;

// Running it.
public sealed partial class ConnectionPool
{
    /// <summary>
    /// Completes when <see cref="MinSize"/> connections exist. At a transient failure to open it goes on until cancelled.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait; the filling goes on.</param>
    /// <exception cref="PoolConnectException">The server refuses connections for good.</exception>
    public async Task WarmUpAsync(CancellationToken cancellationToken = default)
    {
        if (await Open.WarmUpAsync(cancellationToken).ConfigureAwait(false) is { } refusal)
            throw Failure(new(RentOutcome.ConnectFailed, default, null, refusal, TimeSpan.Zero), default, count: 1, cancellationToken);
        _ = Open;
    }

    /// <summary>Validates every idle connection now and replaces the dead ones.</summary>
    /// <param name="cancellationToken">Ends the wait; the checks go on.</param>
    /// <returns>How many were dead.</returns>
    public Task<int> CheckAsync(CancellationToken cancellationToken = default) => Open.CheckIdleAsync(cancellationToken);

    /// <summary>Takes effect at once: growing wakes waiters, shrinking closes idle connections and the rest as they return.</summary>
    /// <remarks>Waiters of <see cref="RentManyAsync"/> that need more than the new maximum fail with <see cref="ArgumentOutOfRangeException"/>.</remarks>
    /// <param name="minSize">0 to <paramref name="maxSize"/>.</param>
    /// <param name="maxSize">1 or more.</param>
    /// <exception cref="ArgumentException">A bound is out of range; nothing was changed.</exception>
    public void Resize(int minSize, int maxSize)
    {
        var engine = Open;
        ConnectionPoolOptionsValidation.Sizes(minSize, maxSize, nameof(minSize), nameof(maxSize));
        engine.Resize(minSize, maxSize);
        _events.Resized(minSize, maxSize);
    }

    /// <summary>
    /// Retires all of today's connections: idle ones now, leased ones when they return, those being opened when they are there. Refills to
    /// <see cref="MinSize"/>.
    /// </summary>
    public void Clear() => ClearNow(Open);

    /// <summary>Retires today's connections and reads the database's types again, for use after CREATE TYPE or CREATE EXTENSION.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task ReloadTypesAsync(CancellationToken cancellationToken = default)
    {
        var engine = Open;
        await _driver.ReloadTypesAsync(cancellationToken).ConfigureAwait(false);
        ClearNow(engine);
    }

    private void ClearNow(PoolEngine<NpgsqlConnection> engine)
    {
        engine.Clear();
        _events.Cleared();
    }

    /// <summary>New rents wait (their timeouts run on); leases already out are unaffected. Doing it twice does nothing more.</summary>
    public void Suspend()
    {
        Open.Suspend(suspended: true);
        _events.Suspended();
    }

    /// <summary>Ends <see cref="Suspend"/>: waiters are served again.</summary>
    public void Resume()
    {
        Open.Suspend(suspended: false);
        _events.Resumed();
    }

    /// <summary>
    /// Completes when no lease is out and no connection is being reset. With <see cref="Suspend"/>: a quiet point for a cut-over.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitUntilIdleAsync(CancellationToken cancellationToken = default) => Open.WaitUntilIdleAsync(cancellationToken);

    /// <summary>
    /// Rejects new rents and waiters at once, waits for leases to come back, then closes all. Leases still out after
    /// <paramref name="drainTimeout"/> are severed: their connections are closed under them. Idempotent.
    /// </summary>
    /// <param name="drainTimeout">How long leases may take to come back: zero: not at all; infinite: for ever.</param>
    /// <param name="cancellationToken">Ends the wait, leaving the pool as <see cref="Dispose"/> does.</param>
    public async Task CloseAsync(TimeSpan drainTimeout, CancellationToken cancellationToken = default)
    {
        CheckTimeout(drainTimeout, nameof(drainTimeout));
        Shutdown(closeHere: false);
        try
        {
            await _released.Task.WaitAsync(drainTimeout, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _engine.SeverLeases();
            await _released.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Rejects new rents and waiters at once and closes idle connections; leases still out stay usable, and their connections close when they
    /// return. Idempotent and safe under concurrency.
    /// </summary>
    public void Dispose() => Shutdown(closeHere: true);

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        Shutdown(closeHere: false);
        await _engine.WhenIdleOnesAreGoneAsync().ConfigureAwait(false);
    }

    private void Shutdown(bool closeHere)
    {
        if (_engine.Shutdown(closeHere))
            _ = ReleaseWhenGoneAsync();
    }

    /// <summary>The data source and the timers outlive the pool for as long as a lease is out.</summary>
    private async Task ReleaseWhenGoneAsync()
    {
        await _engine.WhenGoneAsync().ConfigureAwait(false);
        try
        {
            _metrics.Dispose();
            _engine.Dispose();
            await _driver.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _released.SetResult();
        }
        _events.PoolClosed();
    }
}
