using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace PgPool.Hosting;

/// <summary>Begins before everything else that the application hosts, and ends after it.</summary>
internal sealed partial class PoolLifetime(Func<ConnectionPool> pool, PgPoolHostOptions options, TimeProvider time, ILogger logger)
    : IHostedLifecycleService
{
    // Cancelling and terminating what runs is a matter of a round trip, on a server that answers.
    private static readonly TimeSpan SeverTimeout = TimeSpan.FromSeconds(5);

    private ConnectionPool? _pool;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        // Made here, so that what is wrong with its options fails the start.
        _pool = pool();
        if (!options.WarmUp)
            return;
        using var deadline = new CancellationTokenSource(options.WarmUpTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await _pool.WarmUpAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            NotWarm(logger, _pool.Name, _pool.MinSize, options.WarmUpTimeout.TotalSeconds, _pool.GetStatistics().LastOpenError);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (_pool is null)
            return;
        try
        {
            await _pool.CloseAsync(options.DrainTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await SeverAsync(_pool).ConfigureAwait(false);
        }
    }

    // The host's patience is at its end, which is no failure of the application, nor a reason to leave statements running at the server.
    private async Task SeverAsync(ConnectionPool closing)
    {
        using var deadline = new CancellationTokenSource(SeverTimeout, time);
        try
        {
            await closing.CloseAsync(TimeSpan.Zero, deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            NotClosed(logger, closing.Name, closing.GetStatistics().Total);
        }
    }

    [LoggerMessage(1301, LogLevel.Warning, "PgPool '{Pool}': {Count} connections were not closed when the application stopped: the server does not answer")]
    private static partial void NotClosed(ILogger logger, string pool, int count);

    [LoggerMessage(1300, LogLevel.Warning, "PgPool '{Pool}': {MinSize} connections were not open within {Seconds:0.0} s; the application starts all the same")]
    private static partial void NotWarm(ILogger logger, string pool, int minSize, double seconds, Exception? exception);
}
