using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.TestSupport;

public class EventuallyTests
{
    [Fact]
    public async Task Becomes_ConditionTrueAtThirdLook_Returns()
    {
        var looks = 0;

        await Eventually.BecomesAsync(() => ++looks == 3, "the third look");

        Assert.Equal(3, looks);
    }

    [Fact]
    public async Task Becomes_NeverTrue_ThrowsAndNamesWhatWasWaitedFor()
    {
        var exception = await Assert.ThrowsAsync<TimeoutException>(
            () => Eventually.BecomesAsync(() => Task.FromResult(false), "the moon is full", TimeSpan.FromMilliseconds(50)));

        Assert.Contains("the moon is full", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Becomes_WithState_ReturnsTheStateThatWasWanted()
    {
        var state = 0;

        Assert.Equal(4, await Eventually.BecomesAsync(() => ++state, value => value > 3, value => $"state is {value}, not above 3"));
    }

    [Fact]
    public async Task Becomes_WithState_DescribesTheLastState()
    {
        var exception = await Assert.ThrowsAsync<TimeoutException>(() => Eventually.BecomesAsync(
            () => Task.FromResult(17), value => value == 4, value => $"{value} backends, not 4", TimeSpan.FromMilliseconds(50)));

        Assert.Contains("17 backends, not 4", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Becomes_ConditionHangs_TimesOutAllTheSame()
    {
        var never = new TaskCompletionSource<bool>();

        await Assert.ThrowsAsync<TimeoutException>(
            () => Eventually.BecomesAsync(() => never.Task, "an answer", TimeSpan.FromMilliseconds(50)));
    }
}
