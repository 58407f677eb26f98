using CsCheck;
using Microsoft.Extensions.Time.Testing;
using PgPool.Migration.Running;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>Bytes sent by several workers, with pauses, in virtual time.</summary>
public sealed class ByteThrottlePropertyTests
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    private static readonly Gen<(int Pause, int[] Bytes)[]> Rounds =
        Gen.Select(Gen.Int[0, 3000], Gen.Int[0, 1 << 20].Array[1, 4]).Array[1, 10];

    [Fact]
    public void MovedAsync_ManyWorkers_AreHeldToTheRate() => Gen.Select(Rounds, Gen.Long[1000, 1 << 24]).Sample(static (rounds, rate) =>
    {
        var clock = new FakeTimeProvider();
        var throttle = new ByteThrottle(rate, clock);
        var start = clock.GetUtcNow();
        var free = TimeSpan.Zero;
        foreach (var (pause, bytes) in rounds)
        {
            // What was not sent in a pause is not made up for.
            clock.Advance(TimeSpan.FromMilliseconds(pause));
            var now = clock.GetUtcNow() - start;
            free = free > now ? free : now;
            var moves = bytes.Select(count => (Move(throttle, count), free += TimeSpan.FromSeconds((double)count / rate))).ToList();
            foreach (var (moved, due) in moves)
            {
                // Timers count in milliseconds.
                now = clock.GetUtcNow() - start;
                if (due - now > 2 * Millisecond)
                {
                    Assert.False(moved.IsCompleted, $"at {now} and not at {due}");
                    clock.Advance(due - now - 2 * Millisecond);
                    Assert.False(moved.IsCompleted, $"2 ms before {due}");
                }

                now = clock.GetUtcNow() - start;
                if (now < due + Millisecond)
                    clock.Advance(due + Millisecond - now);
                Assert.True(moved.IsCompletedSuccessfully, $"still waits 1 ms after {due}");
            }
        }
    });

    [Fact]
    public void MovedAsync_WithoutARate_NeverWaits() => Gen.Int[0, int.MaxValue].Array[1, 5].Sample(static bytes =>
    {
        var throttle = new ByteThrottle(null, new FakeTimeProvider());
        Assert.All(bytes, count => Assert.True(Move(throttle, count).IsCompletedSuccessfully));
    });

    private static Task Move(ByteThrottle throttle, int bytes) => throttle.MovedAsync(bytes, CancellationToken.None).AsTask();
}
