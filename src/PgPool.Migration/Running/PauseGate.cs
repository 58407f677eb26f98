using System.Data;
using Npgsql;

namespace PgPool.Migration.Running;

/// <summary>Holds workers back while the caller's SQL says so. Asked by one worker at a time, at most once a second; the others go by its answer.</summary>
internal sealed class PauseGate(string? pauseWhile, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _asking = new(1);
    private long? _asked;
    private volatile bool _isPaused;

    public bool IsPaused => _isPaused;

    /// <summary>Returns when the run may go on.</summary>
    /// <param name="target">Idle, in no transaction.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="MigrationException">The SQL does not return a boolean.</exception>
    public async ValueTask WaitAsync(ConnectionLease target, CancellationToken cancellationToken)
    {
        if (pauseWhile is null)
            return;
        while (await AskAsync(target, cancellationToken).ConfigureAwait(false))
            await Task.Delay(Interval, clock, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _asking.Dispose();

    private async Task<bool> AskAsync(ConnectionLease target, CancellationToken cancellationToken)
    {
        await _asking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_asked is { } asked && clock.GetElapsedTime(asked) < Interval)
                return _isPaused;
            _asked = clock.GetTimestamp();
            return _isPaused = await ReadAsync(target, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _asking.Release();
        }
    }

    private async Task<bool> ReadAsync(ConnectionLease target, CancellationToken cancellationToken)
    {
        // Read only: what asks must not change anything, and is asked again and again.
        var transaction = await target.Connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            try
            {
                await target.ExecuteAsync("SET TRANSACTION READ ONLY", cancellationToken).ConfigureAwait(false);
                return await target.ScalarAsync<bool>(pauseWhile!, cancellationToken).ConfigureAwait(false);
            }
            catch (InvalidCastException e)
            {
                throw new MigrationException($"{nameof(MigrationOptions.PauseWhile)} must return a boolean: {pauseWhile}", e);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
            {
                throw new MigrationException($"{nameof(MigrationOptions.PauseWhile)} is run read-only, and would change something ({e.MessageText}): {pauseWhile}", e);
            }
        }
    }
}
