using Xunit;

namespace PgPool.Tests.Engine.Kit;

/// <summary>Runs code while every thread of the thread pool is blocked, on a thread of its own.</summary>
internal static class StarvedThreadPool
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <param name="action">What has to end though there is no thread.</param>
    /// <param name="respite">
    /// Null: nothing else gets a thread. Otherwise those who block leave the others a turn that often. That is for code on real sockets: with no
    /// thread at all, .NET's blocking reads hang on Linux, now and then, when the data come in the moment before they are awaited, as the event is
    /// then passed on by way of the thread pool. What needs a thread for each of its steps does not end in time with that, either.
    /// </param>
    public static async Task RunAsync(Action action, TimeSpan? respite = null)
    {
        // Not disposed: the last of those blocked still look at it.
        var release = new ManualResetEventSlim();
        ThreadPool.GetMinThreads(out var minWorkers, out var minIo);
        ThreadPool.GetMaxThreads(out var maxWorkers, out var maxIo);
        await Blocking.RunAsync(Run);

        void Run()
        {
            try
            {
                Block(release, respite ?? Timeout.InfiniteTimeSpan);
                Exception? failure = null;
                var thread = new Thread(() => failure = Record.Exception(action)) { IsBackground = true };
                thread.Start();
                Assert.True(thread.Join(Deadline), "It hangs while the thread pool is blocked.");
                Assert.Null(failure);
            }
            finally
            {
                release.Set();
                ThreadPool.SetMaxThreads(maxWorkers, maxIo);
                ThreadPool.SetMinThreads(minWorkers, minIo);
            }
        }
    }

    private static void Block(ManualResetEventSlim release, TimeSpan respite)
    {
        var threads = Environment.ProcessorCount;
        ThreadPool.GetMaxThreads(out _, out var io);
        ThreadPool.SetMinThreads(1, 1);
        Assert.True(ThreadPool.SetMaxThreads(threads, io));
        var blocked = 0;
        // More than there can be threads: whatever is queued from here on comes after them.
        for (var i = 0; i < 4 * threads; i++)
            ThreadPool.UnsafeQueueUserWorkItem(Wait, i, preferLocal: false);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref blocked) >= threads, Deadline), "The thread pool could not be blocked.");

        void Wait(int first)
        {
            Interlocked.Increment(ref blocked);
            if (!release.Wait(respite))
                ThreadPool.UnsafeQueueUserWorkItem(Wait, first, preferLocal: false);
        }
    }
}
