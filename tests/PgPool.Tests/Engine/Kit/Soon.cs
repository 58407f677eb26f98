using System.Diagnostics;
using System.Runtime.CompilerServices;
using Xunit;

namespace PgPool.Tests.Engine.Kit;

/// <summary>Awaits what other threads are about to do. Yields instead of sleeping: a test takes many thousand such steps.</summary>
internal static class Soon
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    public static async Task BecomesAsync(
        Func<bool> condition, Func<string>? describe = null, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > Deadline)
                throw new TimeoutException($"Not within {Deadline.TotalSeconds} s: {what}. {describe?.Invoke()}");
            await Task.Yield();
        }
    }

    /// <summary>Asserts that something does not change by itself, for as long as others need to change it by mistake.</summary>
    public static async Task StaysAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        for (var turn = 0; turn < 1000; turn++)
        {
            Assert.True(condition(), what);
            await Task.Yield();
        }
    }

    /// <summary>The result, or an exception when it hangs.</summary>
    public static Task<T> OrHangsAsync<T>(this Task<T> task) => task.WaitAsync(Deadline);
}
