using Microsoft.Extensions.Time.Testing;
using PgPool.Migration.Running;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>How fast a run goes, and what it tells of it.</summary>
public sealed class PaceTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string Ddl = "CREATE TABLE t (id int PRIMARY KEY, a text)";
    private const string Fill = "INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i; ANALYZE t";

    private static readonly MigrationOptions Small = new() { PartitionBytes = 32 * 1024 };

    [Fact]
    public async Task MovedAsync_ManyCallers_HoldTogetherToTheRate()
    {
        var clock = new FakeTimeProvider();
        var throttle = new ByteThrottle(1000, clock);

        var first = throttle.MovedAsync(500, Stop).AsTask();
        var second = throttle.MovedAsync(500, Stop).AsTask();
        clock.Advance(TimeSpan.FromSeconds(0.499));
        Assert.False(first.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.002));
        await first;
        Assert.False(second.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.5));
        await second;

        // A pause earns nothing.
        clock.Advance(TimeSpan.FromSeconds(100));
        var third = throttle.MovedAsync(2000, Stop).AsTask();
        clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(third.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.2));
        await third;
    }

    [Fact]
    public async Task CopyAsync_PauseWhile_HoldsTheRunUntilItIsFalse()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await OnTargetAsync("CREATE TABLE lag (behind bool); INSERT INTO lag VALUES (true)");
        var progress = new ProgressRecorder();

        var copying = Run(Small with { PauseWhile = "SELECT behind FROM lag" }).CopyAsync([new TableCopy("t")], progress, Stop);
        await Eventually.BecomesAsync(() => progress.All.Any(told => told.Paused), "it is paused");
        var paused = progress.All.First(told => told.Paused);
        Assert.Equal((0, 0, 0), (paused.Rows, paused.PartitionsDone, paused.ActiveWorkers));
        Assert.Contains(nameof(MigrationOptions.PauseWhile), paused.PauseReason, StringComparison.Ordinal);
        Assert.Equal(0, await FromTargetAsync<long>("SELECT count(*) FROM t"));
        await OnTargetAsync("UPDATE lag SET behind = NULL");
        var report = await copying;

        Assert.Equal(5000, report.Rows);
        Assert.False(progress.All.Last().Paused);
    }

    [Fact]
    public async Task CopyAsync_Progress_NeverFallsAndEndsAtTheTotal()
    {
        await CreateAsync(Ddl);
        await CreateAsync("CREATE TABLE u (id int, a text)");
        await OnSourceAsync(Fill);
        await OnSourceAsync("INSERT INTO u SELECT * FROM t");

        // What fails halfway is taken back from the counts, but not from what was told.
        await OnTargetAsync("""
            CREATE SEQUENCE failures;
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN IF nextval('failures') % 400 = 0 THEN RAISE EXCEPTION 'made up' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON u FOR EACH ROW EXECUTE PROCEDURE fail()
            """);
        var progress = new ProgressRecorder();

        var report = await Run(Small with { MaxBytesPerSecond = 1_000_000, MaxAttempts = 100 })
            .CopyAsync([new TableCopy("t"), new TableCopy("u")], progress, Stop);

        var all = progress.All.ToArray();
        Assert.True(all.Length >= 4, $"{all.Length} told");
        foreach (var (earlier, later) in all.Zip(all.Skip(1)))
        {
            Assert.True(later.Rows >= earlier.Rows && later.Bytes >= earlier.Bytes && later.Fraction >= earlier.Fraction, $"{earlier} then {later}");
            Assert.True(later.PartitionsDone >= earlier.PartitionsDone && later.Elapsed >= earlier.Elapsed, $"{earlier} then {later}");
        }

        var last = all[^1];
        Assert.True(report.Retries > 0);
        Assert.Equal(("plan", "done"), (all[0].Phase, last.Phase));
        Assert.Equal((10000, report.Bytes, 1.0), (last.Rows, last.Bytes, last.Fraction));
        Assert.Equal((10000, last.PartitionsTotal, 0), (report.Rows, last.PartitionsDone, last.ActiveWorkers));
        Assert.Contains(all, told => told is { Phase: "copy", ActiveWorkers: > 0, Remaining: not null, SnapshotAge: not null, RowsPerSecond: > 0 });
        await AssertSameTableAsync("t");
        await AssertSameTableAsync("u");
    }

    [Fact]
    public async Task CopyAsync_ProgressThrows_EndsWithItAndLeavesNothingOut()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);

        await Assert.ThrowsAsync<NotFiniteNumberException>(() => Run(Small).CopyAsync([new TableCopy("t")], new Throwing(), Stop));

        Assert.Equal((0, 0), (Source.GetStatistics().Leased, Target.GetStatistics().Leased));
        await Run(Small with { SourceIsFrozen = true }).CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        await AssertSameTableAsync("t");
    }

    private sealed class Throwing : IProgress<MigrationProgress>
    {
        public void Report(MigrationProgress value)
        {
            if (value.Phase != "plan")
                throw new NotFiniteNumberException();
        }
    }
}
