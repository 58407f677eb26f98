using System.Threading.Tasks.Sources;
using Microsoft.Extensions.ObjectPool;

namespace PgPool.Engine;

/// <summary>A waiter whose renter awaits. Goes back to its pool when the result is taken.</summary>
internal sealed class AsyncWaiter<T>(PoolEngine<T> engine, ObjectPool<AsyncWaiter<T>> home)
    : Waiter<T>(engine), IValueTaskSource<RentResult<T>>, IThreadPoolWorkItem where T : class
{
    // The result stays in the waiter: here only the signal is kept.
    private ManualResetValueTaskSourceCore<bool> _core;

    public override bool IsBlocking => false;

    public ValueTask<RentResult<T>> WaitAsync(CancellationToken cancellationToken)
    {
        var task = new ValueTask<RentResult<T>>(this, _core.Version);
        Watch(cancellationToken);
        return task;
    }

    // The renter goes on on the thread pool: never on the thread that returns a connection, nor inside the callback of a cancellation. By way of
    // its common queue, which is served in order: in a thread's own queue, which the core would use, who was served first may run last.
    public override void Signal() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    void IThreadPoolWorkItem.Execute() => _core.SetResult(true);

    RentResult<T> IValueTaskSource<RentResult<T>>.GetResult(short token)
    {
        _core.GetResult(token);
        var result = Result;
        Clear();
        _core.Reset();
        home.Return(this);
        return result;
    }

    ValueTaskSourceStatus IValueTaskSource<RentResult<T>>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<RentResult<T>>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags);
}
