using PgPool.Migration.Checkpoints;
using PgPool.Migration.Running;
using Xunit;

namespace PgPool.Migration.Tests.Running;

public sealed class ProgressMeterTests
{
    private static readonly TableName Table = TableName.Parse("t");

    private readonly ProgressMeter _meter = new(TimeProvider.System);

    [Fact]
    public void Count_KnowsOfACommitBeforeItsWorker_CountsItOnce()
    {
        _meter.Begin("copy", new RunCounts(Done: 1, Total: 3, DoneBytes: 10, TotalBytes: 30));
        using var attempt = _meter.Try(Table, plannedBytes: 10);

        attempt.Moved(bytes: 10, rows: 5);
        _meter.Count(new RunCounts(Done: 2, Total: 3, DoneBytes: 20, TotalBytes: 30));
        Assert.Equal(2 / 3.0, _meter.Read(paused: false).Fraction, 9);
        attempt.Complete(new PartitionOutcome(Rows: 5, Bytes: 9, Rejected: 0));

        var progress = _meter.Read(paused: false);
        Assert.Equal((2, 3, 5L), (progress.PartitionsDone, progress.PartitionsTotal, progress.Rows));
        Assert.Equal(2 / 3.0, progress.Fraction, 9);
    }

    [Fact]
    public void Complete_BeforeTheStoreWasAsked_IsShown()
    {
        _meter.Begin("copy", new RunCounts(Done: 1, Total: 3, DoneBytes: 10, TotalBytes: 30));
        using var attempt = _meter.Try(Table, plannedBytes: 10);

        attempt.Complete(new PartitionOutcome(Rows: 5, Bytes: 9, Rejected: 0));
        _meter.Count(new RunCounts(Done: 1, Total: 3, DoneBytes: 10, TotalBytes: 30));

        Assert.Equal(2, _meter.Read(paused: false).PartitionsDone);
        Assert.Equal(2 / 3.0, _meter.Read(paused: false).Fraction, 9);
    }
}
