using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>Tests that take the thread pool away from everybody run alone.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class BlockedThreadPool : IDisposable
{
    private readonly ManualResetEventSlim _release = new();
    private readonly (int Worker, int Io) _min;
    private readonly (int Worker, int Io) _max;

    private BlockedThreadPool()
    {
        ThreadPool.GetMinThreads(out _min.Worker, out _min.Io);
        ThreadPool.GetMaxThreads(out _max.Worker, out _max.Io);
    }

    /// <summary>Blocks every thread that the thread pool has or may still have. Returns when none is left.</summary>
    private void Block()
    {
        var few = Environment.ProcessorCount;
        ThreadPool.SetMinThreads(few, _min.Io);
        ThreadPool.SetMaxThreads(few, _max.Io);
        for (var i = 0; i < Math.Max(few, ThreadPool.ThreadCount) + 1; i++)
            ThreadPool.UnsafeQueueUserWorkItem(static release => release.Wait(), _release, preferLocal: false);
        SpinWait.SpinUntil(() => ThreadPool.PendingWorkItemCount > 0 && ThreadPool.ThreadCount >= few);
    }

    /// <summary>Runs work on a thread of its own while every thread of the thread pool is blocked. Fails when it does not end in time.</summary>
    public static void Run(Action work, TimeSpan? deadline = null)
    {
        using var blocked = new BlockedThreadPool();
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                blocked.Block();
                work();
            }
#pragma warning disable CA1031 // Thrown below, on the thread of the test.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                failure = exception;
            }
        })
        { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(deadline ?? TimeSpan.FromSeconds(60)), "It did not end: something waits for a thread of the thread pool.");
        Assert.Null(failure);
    }

    public void Dispose()
    {
        _release.Set();
        ThreadPool.SetMaxThreads(_max.Worker, _max.Io);
        ThreadPool.SetMinThreads(_min.Worker, _min.Io);
    }
}
