using Microsoft.Extensions.Time.Testing;
using PgPool.Sessions;
using Xunit;

namespace PgPool.Tests.Sessions;

public class SharedDeadlineTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Share = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Run_Completes_GivesItsResult()
    {
        var operation = new TaskCompletionSource<int>();
        var run = new SharedDeadline(Timeout, _time).RunAsync(new ValueTask<int>(operation.Task));
        _time.Advance(Timeout);
        operation.SetResult(4711);

        Assert.Equal(4711, await run);
    }

    [Fact]
    public async Task Run_Fails_GivesItsError()
    {
        var deadline = new SharedDeadline(Timeout, _time);

        await Assert.ThrowsAsync<InvalidTimeZoneException>(
            () => deadline.RunAsync(new ValueTask<int>(Task.FromException<int>(new InvalidTimeZoneException()))).AsTask());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(1.5)]
    [InlineData(100)]
    public async Task Run_TakesTooLong_TimesOutNeverEarlyAndLateByTheShareAtMost(double begunAfter)
    {
        var deadline = new SharedDeadline(Timeout, _time);
        var first = deadline.RunAsync(Never()).AsTask();
        _time.Advance(TimeSpan.FromSeconds(begunAfter));
        var run = deadline.RunAsync(Never()).AsTask();

        _time.Advance(Timeout - TimeSpan.FromMilliseconds(1));
        Assert.False(run.IsCompleted);
        _time.Advance(Share + TimeSpan.FromMilliseconds(1));

        await Assert.ThrowsAsync<TimeoutException>(() => run);
        await Assert.ThrowsAsync<TimeoutException>(() => first);
    }

    private static ValueTask<int> Never() => new(new TaskCompletionSource<int>().Task);
}
