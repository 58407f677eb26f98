using CsCheck;
using Microsoft.Extensions.Time.Testing;
using PgPool.Migration.Checkpoints;
using PgPool.Migration.Running;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>Attempts that move rows, fail or are committed, what the store says meanwhile, and time, in any order.</summary>
public sealed class ProgressMeterPropertyTests
{
    private const int Size = 100;

    private static readonly Gen<(int What, int Which, int Rows)[]> Steps =
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 9], Gen.Int[0, 60]).Array[0, 60];

    [Fact]
    public void Read_WhateverHappens_NeverFalls() => Gen.Select(Steps, Gen.Int[1, 8], Gen.Int[0, 3]).Sample(static (steps, here, before) =>
    {
        var clock = new FakeTimeProvider();
        var meter = new ProgressMeter(clock);
        var total = here + before;
        var (done, rows) = (before, 0L);
        List<(ProgressMeter.Attempt Attempt, int Rows)> open = [];
        meter.Begin("copy", Store());
        var shown = meter.Read(paused: false);
        foreach (var (what, which, count) in steps)
        {
            var i = open.Count == 0 ? -1 : which % open.Count;
            switch (what)
            {
                case 0 or 1 when done + open.Count < total:
                    open.Add((meter.Try(TableName.Parse("t"), Size), 0));
                    break;
                case 2 or 3 or 4 when i >= 0:
                    open[i].Attempt.Moved(count * 3, count);
                    open[i] = (open[i].Attempt, open[i].Rows + count);
                    break;
                case 5 when i >= 0:
                    open[i].Attempt.Dispose();
                    open.RemoveAt(i);
                    break;
                case 6 or 7 when i >= 0:
                    // The store knows of it first, at times.
                    done++;
                    rows += open[i].Rows;
                    if (what == 7)
                        meter.Count(Store());
                    open[i].Attempt.Complete(new PartitionOutcome(open[i].Rows, open[i].Rows * 3, 0));
                    open[i].Attempt.Dispose();
                    open.RemoveAt(i);
                    break;
                case 8:
                    meter.Count(Store());
                    break;
                case 9:
                    clock.Advance(TimeSpan.FromMilliseconds(count));
                    break;
            }

            shown = AssertGrown(shown, meter.Read(paused: what == 0));
            Assert.Equal(open.Count, shown.ActiveWorkers);
            Assert.InRange(shown.PartitionsDone, before, done);
            Assert.True(shown.Rows >= rows + open.Sum(static attempt => attempt.Rows));
            Assert.True(done == total || shown.Fraction < 1, "it says that it is done");
        }

        open.ForEach(static attempt => attempt.Attempt.Dispose());
        while (done < total)
        {
            using var attempt = meter.Try(TableName.Parse("t"), Size);
            attempt.Complete(new PartitionOutcome(1, 3, 0));
            done++;
            shown = AssertGrown(shown, meter.Read(paused: false));
        }

        meter.Count(Store());
        meter.End();
        shown = AssertGrown(shown, meter.Read(paused: false));
        Assert.Equal((total, 1.0, 0), (shown.PartitionsDone, shown.Fraction, shown.ActiveWorkers));

        RunCounts Store() => new(done, total, (long)done * Size, (long)total * Size);
    }, iter: 300);

    [Fact]
    public void Count_AnswersInAnyOrder_EndAtTheLatest() =>
        Generators.Course.SelectMany(course => Generators.Shuffled(course).Select(answers => (course, answers)))
        .Sample(static (course, answers) =>
        {
            var meter = new ProgressMeter(new FakeTimeProvider());
            meter.Begin("copy", course[0]);
            var shown = meter.Read(paused: false);
            foreach (var counts in answers)
            {
                meter.Count(counts);
                shown = AssertGrown(shown, meter.Read(paused: false));
            }

            Assert.Equal((course[^1].Done, course[^1].Total), (shown.PartitionsDone, shown.PartitionsTotal));
            var last = course[^1];
            Assert.Equal(last.TotalBytes == 0 ? 1 : (double)last.DoneBytes / last.TotalBytes, shown.Fraction, 9);
        });

    private static MigrationProgress AssertGrown(MigrationProgress before, MigrationProgress after)
    {
        Assert.True(after.Rows >= before.Rows && after.Bytes >= before.Bytes, $"{before} {after}");
        Assert.True(after.PartitionsDone >= before.PartitionsDone, $"{before} {after}");
        Assert.True(after.PartitionsTotal >= before.PartitionsTotal && after.Elapsed >= before.Elapsed, $"{before} {after}");

        // Sums of doubles: the last digits may differ.
        Assert.InRange(after.Fraction, before.Fraction - 1e-9, 1);
        Assert.InRange(after.PartitionsDone, 0, after.PartitionsTotal);
        Assert.True(after.Remaining is null || after.Remaining >= TimeSpan.Zero);
        Assert.True(double.IsFinite(after.RowsPerSecond) && after.RowsPerSecond >= 0);
        return after;
    }
}
