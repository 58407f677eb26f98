using CsCheck;
using Microsoft.Extensions.Time.Testing;
using PgPool.Migration.Running;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>Failures of a few partitions, time that passes, and successes, in any order.</summary>
public sealed class RetryLedgerPropertyTests
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private static readonly Gen<(int What, int Key, int Milliseconds)[]> Steps =
        Gen.Select(Gen.Int[0, 9], Gen.Int[-2, 3], Gen.Int[0, 6000]).Array[0, 60];

    [Fact]
    public void TryAgain_AnyFailures_BacksOffUntilTheLastAttempt() => Gen.Select(Steps, Gen.Int[1, 5]).Sample(static (steps, attempts) =>
    {
        var clock = new FakeTimeProvider();
        var ledger = new RetryLedger(attempts, clock);
        Dictionary<int, (int Failed, int TimedOut, TimeSpan Delay, DateTimeOffset Due)> model = [];
        var retries = 0;
        foreach (var (what, key, milliseconds) in steps)
        {
            switch (what)
            {
                case < 6:
                    var kind = what < 3 ? FailureKind.TimedOut : FailureKind.Transient;
                    var before = model.GetValueOrDefault(key, (0, 0, First, default));
                    var mayTry = ledger.TryAgain(key, kind, out var delay);

                    Assert.Equal(before.Item1 + 1 < attempts, mayTry);
                    Assert.InRange(delay, First, Min(Longest, before.Item3 * 3));
                    retries += mayTry ? 1 : 0;
                    // To the tick, as the ledger rounds.
                    var due = clock.GetUtcNow().AddTicks((long)(delay.TotalSeconds * TimeSpan.TicksPerSecond));
                    model[key] = (before.Item1 + 1, before.Item2 + (kind == FailureKind.TimedOut ? 1 : 0), delay, due);
                    break;
                case 6:
                    ledger.Forget(key);
                    model.Remove(key);
                    break;
                default:
                    clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
                    break;
            }

            // What is no partition has a key below 0, and nobody takes it up.
            var waiting = model.Where(entry => entry.Key >= 0 && entry.Value.Due > clock.GetUtcNow()).ToList();
            Assert.Equal(waiting.Select(static entry => entry.Key).Order(), ledger.Waiting(out var untilNext).Order());
            Assert.Equal(waiting.Count == 0 ? null : waiting.Min(static entry => entry.Value.Due) - clock.GetUtcNow(), untilNext);
            Assert.Equal(retries, ledger.Retries);
            for (var number = -2; number <= 3; number++)
                Assert.Equal(model.GetValueOrDefault(number).TimedOut >= 2, ledger.ShouldSplit(number));
        }
    }, iter: 300);

    [Fact]
    public void Waiting_AsLongAsItSays_OneMoreIsDueEachTime() => Gen.Int[1, 20].Sample(static count =>
    {
        var clock = new FakeTimeProvider();
        var ledger = new RetryLedger(10, clock);
        for (var number = 0; number < count; number++)
            ledger.TryAgain(number, FailureKind.Transient, out _);

        for (var left = ledger.Waiting(out var untilNext).Length; untilNext is { } wait; left = ledger.Waiting(out untilNext).Length)
        {
            clock.Advance(wait - TimeSpan.FromTicks(1));
            Assert.Equal(left, ledger.Waiting(out _).Length);
            clock.Advance(TimeSpan.FromTicks(1));
            Assert.True(ledger.Waiting(out _).Length < left);
        }

        Assert.Empty(ledger.Waiting(out _));
    });

    [Fact]
    public void NewKey_HoweverOften_IsNoPartitionsNumberAndNew() => Gen.Int[1, 50].Sample(static count =>
    {
        var ledger = new RetryLedger(1, TimeProvider.System);
        var keys = Enumerable.Range(0, count).Select(_ => ledger.NewKey()).ToList();
        Assert.All(keys, static key => Assert.True(key < 0));
        Assert.Equal(count, keys.Distinct().Count());
    });

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
