using PgPool.TestSupport;

namespace PgPool.Tests.Integration;

/// <summary>Workers that rent, run one statement and return, over and over, while the server is restarted.</summary>
internal sealed class RestartLoad : IAsyncDisposable
{
    private readonly ConnectionPool _pool;
    private readonly CancellationTokenSource _stop;
    private readonly Lock _lock = new();
    private readonly List<Failure> _failures = [];
    private readonly int[] _successes;
    private readonly Task[] _workers;

    private TaskCompletionSource _mayRent = new();
    private int _restart;

    // Never, from before the server is told to stop until it has said that it accepts again.
    private DateTimeOffset _upSince = DateTimeOffset.MinValue;

    public RestartLoad(ConnectionPool pool, int workers, CancellationToken cancellationToken)
    {
        _pool = pool;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _successes = new int[workers];
        _mayRent.SetResult();
        _workers = [.. Enumerable.Range(0, workers).Select(worker => Task.Run(() => WorkAsync(worker), CancellationToken.None))];
    }

    public IReadOnlyList<Failure> Failures
    {
        get
        {
            lock (_lock)
                return [.. _failures];
        }
    }

    /// <summary>Restarts it so often, each time when every worker has got on.</summary>
    /// <param name="server">What to restart.</param>
    /// <param name="mode">How.</param>
    /// <param name="times">How often.</param>
    /// <param name="restless">Whether the workers rent on while it is away: whatever is dead has been found by the time it is back.</param>
    public async Task RestartAsync(PostgresServer server, PostgresShutdown mode, int times, bool restless)
    {
        await AllGetOnAsync();
        for (var i = 0; i < times; i++)
        {
            Down(restless);
            await server.RestartAsync(mode, CancellationToken.None);
            Up();
            await AllGetOnAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Up();
        await Task.WhenAll(_workers);
        _stop.Dispose();
    }

    private void Down(bool restless)
    {
        lock (_lock)
        {
            if (!restless)
                _mayRent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _restart++;
            _upSince = DateTimeOffset.MaxValue;
        }
    }

    private void Up()
    {
        lock (_lock)
        {
            _upSince = DateTimeOffset.UtcNow;
            _mayRent.TrySetResult();
        }
    }

    private Task AllGetOnAsync()
    {
        var before = _successes.ToArray();
        return Eventually.BecomesAsync(
            () => Enumerable.Range(0, before.Length).All(worker => Volatile.Read(ref _successes[worker]) >= before[worker] + 10),
            "every worker gets on");
    }

    private async Task WorkAsync(int worker)
    {
        while (!_stop.IsCancellationRequested)
        {
            Task mayRent;
            lock (_lock)
                mayRent = _mayRent.Task;
            await mayRent;
            try
            {
                await using var lease = await _pool.RentAsync(CancellationToken.None);
                await UseAsync(worker, lease);
            }
            catch (Exception exception)
            {
                Fail(worker, wasUp: false, exception);
            }
        }
    }

    private async Task UseAsync(int worker, ConnectionLease lease)
    {
        try
        {
            await using var command = lease.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(CancellationToken.None);
            Interlocked.Increment(ref _successes[worker]);
        }
        catch (Exception exception)
        {
            // By the pool's own word: this worker may have been told long after.
            var rentedAt = _pool.GetLeases().Single(info => info.Id == lease.Id).RentedAt;
            Fail(worker, IsUpSince(rentedAt), exception);
        }
    }

    private void Fail(int worker, bool wasUp, Exception exception)
    {
        lock (_lock)
            _failures.Add(new Failure(worker, _restart, wasUp, exception));
    }

    private bool IsUpSince(DateTimeOffset time)
    {
        lock (_lock)
            return _upSince < time;
    }

    /// <param name="Worker">Whose statement, or rent, failed.</param>
    /// <param name="Restart">The restart, counted from 1, during or after which it did.</param>
    /// <param name="WasUp">The server was up from when the lease was handed out until now.</param>
    /// <param name="Exception">With what.</param>
    public sealed record Failure(int Worker, int Restart, bool WasUp, Exception Exception);
}
