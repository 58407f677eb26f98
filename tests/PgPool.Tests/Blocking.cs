namespace PgPool.Tests;

/// <summary>Runs what blocks on a thread of its own: on the thread pool it would keep the asynchronous rest from going on.</summary>
internal static class Blocking
{
    public static Task<T> RunAsync<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public static Task RunAsync(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>For code of both modes: it keeps the thread for as long as it completes synchronously.</summary>
    public static Task RunAsync(Func<Task> work) => RunAsync<Task>(work).Unwrap();
}
