using System.Runtime.ExceptionServices;

namespace PgPool;

/// <summary>One run of <see cref="ConnectionPool.ForEachAsync"/>: workers that share the items and keep a lease each.</summary>
internal sealed class ForEachRun<T>(
    Func<ConnectionLease, T, CancellationToken, ValueTask> body,
    Func<CancellationToken, ValueTask<ConnectionLease>> rentFirst,
    Func<CancellationToken, ValueTask<ConnectionLease>> rentMore)
{
    private readonly Lock _lock = new();
    private Exception? _failure;

    public async Task RunAsync(IEnumerable<T> items, int workers, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // Cancelled when no item is left: whoever still waits for a lease then need not join any more.
        using var joining = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        using var source = items.GetEnumerator();
        if (!source.MoveNext())
            return;
        var shared = new SharedItems(source, joining);

        // The others start in the flow from before the first one's rent: the lease that it holds is not theirs, where nested rents are watched.
        var flow = ExecutionContext.Capture();
        var lease = await rentFirst(cancellationToken).ConfigureAwait(false);
        var others = new Task[workers - 1];
        for (var i = 0; i < others.Length; i++)
            others[i] = StartIn(flow, () => JoinAsync(shared, stop, joining.Token));
        await WorkAsync(lease, shared, stop).ConfigureAwait(false);
        await Task.WhenAll(others).ConfigureAwait(false);

        if (_failure is not null)
            ExceptionDispatchInfo.Throw(_failure);
    }

    private static Task StartIn(ExecutionContext? flow, Func<Task> work)
    {
        if (flow is null)
            return Task.Run(work);
        Task? task = null;
        ExecutionContext.Run(flow, _ => task = Task.Run(work), null);
        return task!;
    }

    private async Task JoinAsync(SharedItems items, CancellationTokenSource stop, CancellationToken joining)
    {
        ConnectionLease lease;
        try
        {
            lease = await rentMore(joining).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is OperationCanceledException or PoolException or ObjectDisposedException)
        {
            // This worker does not join: the items are done, or the pool has no place for it. The others do the work.
            return;
        }
        await WorkAsync(lease, items, stop).ConfigureAwait(false);
    }

    private async Task WorkAsync(ConnectionLease lease, SharedItems items, CancellationTokenSource stop)
    {
        try
        {
            await using (lease.ConfigureAwait(false))
            {
                while (!stop.IsCancellationRequested && items.TryTake(out var item))
                    await body(lease, item, stop.Token).ConfigureAwait(false);
            }
            stop.Token.ThrowIfCancellationRequested();
        }
        // Kept, and thrown when all workers have stopped.
        catch (Exception exception)
        {
            Fail(exception, stop);
        }
    }

    private void Fail(Exception exception, CancellationTokenSource stop)
    {
        lock (_lock)
            _failure ??= exception;

        // Not here: whoever is called may block, as Npgsql does, whose cancel of a running command waits for the server.
        _ = stop.CancelAsync();
    }

    /// <summary>The items, one at a time, and none before it is asked for: they may be a queue that body fills.</summary>
    private sealed class SharedItems(IEnumerator<T> source, CancellationTokenSource joining)
    {
        private readonly Lock _lock = new();
        private bool _isFirst = true;
        private bool _isDone;

        /// <param name="item">The next item, when the result is true. The source stands on the first one already.</param>
        public bool TryTake(out T item)
        {
            lock (_lock)
            {
                _isDone = _isDone || !(_isFirst || source.MoveNext());
                _isFirst = false;
                item = _isDone ? default! : source.Current;
                if (_isDone)
                    joining.Cancel();
                return !_isDone;
            }
        }
    }
}
