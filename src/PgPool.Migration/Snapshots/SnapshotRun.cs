using System.Runtime.ExceptionServices;

namespace PgPool.Migration.Snapshots;

/// <summary>One run of <see cref="SnapshotGroup.ForEachAsync"/>: each item gets the next free member.</summary>
internal sealed class SnapshotRun<T>(
    SnapshotMembers members, Func<ConnectionLease, T, CancellationToken, ValueTask> body, CancellationToken cancellationToken)
{
    // Leases that one item may break before it is taken for the cause.
    private const int MaxBroken = 10;

    private readonly Lock _lock = new();
    private Exception? _failure;

    public async Task RunAsync(IEnumerable<T> items)
    {
        members.ThrowIfClosed();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, members.Closing);
        List<Task> working = [];
        try
        {
            using var source = items.GetEnumerator();
            try
            {
                await HandOutAsync(source, working, stop).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                Fail(exception, stop);
            }

            // Before the items are disposed: they may be what body works with.
            await Task.WhenAll(working).ConfigureAwait(false);
        }
        // What making or disposing the items throws comes after a failure that was first.
        catch (Exception exception)
        {
            Fail(exception, stop);
        }

        if (_failure is not null)
            ExceptionDispatchInfo.Throw(_failure);
    }

    /// <summary>The one flow that asks for items; none before a member is free for it.</summary>
    private async Task HandOutAsync(IEnumerator<T> source, List<Task> working, CancellationTokenSource stop)
    {
        while (true)
        {
            var member = await members.TakeAsync(aliveOnly: false, stop.Token).ConfigureAwait(false);
            var isHandedOut = false;
            try
            {
                stop.Token.ThrowIfCancellationRequested();
                if (!source.MoveNext())
                    return;
                var item = source.Current;
                working.RemoveAll(static task => task.IsCompleted);
                working.Add(Task.Run(() => WorkAsync(member, item, stop), CancellationToken.None));
                isHandedOut = true;
            }
            finally
            {
                if (!isHandedOut)
                    await members.PutAsync(member).ConfigureAwait(false);
            }
        }
    }

    private async Task WorkAsync(SnapshotMember member, T item, CancellationTokenSource stop)
    {
        Exception? cause = null;
        try
        {
            for (var broken = 1; ; broken++)
            {
                while (!await members.TryReadyAsync(member, cause, stop.Token).ConfigureAwait(false))
                {
                    // It stays taken meanwhile: another item would fare no better with it.
                    var other = await members.TakeAsync(aliveOnly: true, stop.Token).ConfigureAwait(false);
                    await members.PutAsync(member).ConfigureAwait(false);
                    (member, cause) = (other, null);
                }

                try
                {
                    await body(member.Lease, item, stop.Token).ConfigureAwait(false);
                    return;
                }
                catch (Exception exception) when (member.IsBroken && broken < MaxBroken && !stop.IsCancellationRequested)
                {
                    cause = exception;
                }
            }
        }
        // Kept, and thrown when all have stopped.
        catch (Exception exception)
        {
            Fail(exception, stop);
        }
        finally
        {
            await members.PutAsync(member).ConfigureAwait(false);
        }
    }

    private void Fail(Exception exception, CancellationTokenSource stop)
    {
        lock (_lock)
            _failure ??= Meaning(exception);

        // Not here: whoever is called may block, as Npgsql does, whose cancel of a running command waits for the server.
        _ = stop.CancelAsync();
    }

    // A command that is cancelled may fail in many ways.
    private Exception Meaning(Exception exception)
    {
        if (cancellationToken.IsCancellationRequested)
            return new OperationCanceledException(null, exception, cancellationToken);
        return members.Closing.IsCancellationRequested ? new ObjectDisposedException(nameof(SnapshotGroup)) : exception;
    }
}
