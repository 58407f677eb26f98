using Microsoft.Extensions.ObjectPool;

namespace PgPool.Engine;

/// <summary>A waiter whose renter blocks its thread. Needs no thread-pool thread to be served, to time out or to be cancelled.</summary>
internal sealed class BlockingWaiter<T>(PoolEngine<T> engine, ObjectPool<BlockingWaiter<T>> home) : Waiter<T>(engine) where T : class
{
    private readonly object _gate = new();
    private bool _signalled;

    public override bool IsBlocking => true;

    public RentResult<T> Wait(CancellationToken cancellationToken)
    {
        Watch(cancellationToken);

        ThreadInterruptedException? interruption = null;
        var deadline = TimesItselfOut ? Deadline : Clock.Never;
        while (true)
        {
            try
            {
                while (!IsSignalledBefore(deadline))
                    Engine.Expire(this, out deadline);
                break;
            }
            catch (ThreadInterruptedException exception)
            {
                // It leaves the queue first: a place handed to a thread that has gone would be lost.
                interruption = exception;
                Engine.Cancel(this);
            }
        }

        var result = Result;
        Clear();
        _signalled = false;
        home.Return(this);
        if (interruption is null)
            return result;
        if (result.Outcome == RentOutcome.Lent)
            Engine.GiveBack(result);
        throw interruption;
    }

    public override void Signal()
    {
        lock (_gate)
        {
            _signalled = true;
            Monitor.Pulse(_gate);
        }
    }

    private bool IsSignalledBefore(long deadline)
    {
        lock (_gate)
        {
            while (!_signalled)
            {
                if (!Monitor.Wait(_gate, Engine.Clock.Until(deadline, Engine.Clock.Now)))
                    return false;
            }
            return true;
        }
    }
}
