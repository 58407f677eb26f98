using Xunit;

namespace PgPool.Tests.Engine.Kit;

/// <summary>Runs code while every thread of the thread pool is blocked, on a thread of its own.</summary>
internal static class StarvedThreadPool
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(Action action)
    {
        // Not disposed: the last of those blocked still look at it.
        var release = new ManualResetEventSlim();
        ThreadPool.GetMinThreads(out var minWorkers, out var minIo);
        ThreadPool.GetMaxThreads(out var maxWorkers, out var maxIo);
        var run = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await run;

        void Run()
        {
            try
            {
                Block(release);
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

    private static void Block(ManualResetEventSlim release)
    {
        var threads = Environment.ProcessorCount;
        ThreadPool.GetMaxThreads(out _, out var io);
        ThreadPool.SetMinThreads(1, 1);
        Assert.True(ThreadPool.SetMaxThreads(threads, io));
        var blocked = 0;
        // More than there can be threads: whatever is queued from here on comes after them.
        for (var i = 0; i < 1000; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                release =>
                {
                    Interlocked.Increment(ref blocked);
                    release.Wait();
                },
                release, preferLocal: false);
        }
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref blocked) >= threads, Deadline), "The thread pool could not be blocked.");
    }
}
