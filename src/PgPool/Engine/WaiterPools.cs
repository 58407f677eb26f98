using Microsoft.Extensions.ObjectPool;

namespace PgPool.Engine;

/// <summary>Recycles the waiters of one engine.</summary>
internal sealed class WaiterPools<T> where T : class
{
    /// <summary>Waiters kept for reuse, of each kind: a burst above this allocates, and its surplus is collected.</summary>
    private const int Retained = 1024;

    public WaiterPools(PoolEngine<T> engine)
    {
        Async = new DefaultObjectPool<AsyncWaiter<T>>(new AsyncPolicy(this, engine), Retained);
        Blocking = new DefaultObjectPool<BlockingWaiter<T>>(new BlockingPolicy(this, engine), Retained);
    }

    public ObjectPool<AsyncWaiter<T>> Async { get; }

    public ObjectPool<BlockingWaiter<T>> Blocking { get; }

    private sealed class AsyncPolicy(WaiterPools<T> pools, PoolEngine<T> engine) : PooledObjectPolicy<AsyncWaiter<T>>
    {
        public override AsyncWaiter<T> Create() => new(engine, pools.Async);

        public override bool Return(AsyncWaiter<T> waiter) => true;
    }

    private sealed class BlockingPolicy(WaiterPools<T> pools, PoolEngine<T> engine) : PooledObjectPolicy<BlockingWaiter<T>>
    {
        public override BlockingWaiter<T> Create() => new(engine, pools.Blocking);

        public override bool Return(BlockingWaiter<T> waiter) => true;
    }
}
