using PgPool.Migration.Checkpoints;

namespace PgPool.Migration.Running;

/// <summary>How far the run is, for the caller's progress. What is shown never falls, whatever is tried again. Thread-safe.</summary>
internal sealed class ProgressMeter(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly long _start = clock.GetTimestamp();
    private long? _working;
    private RunCounts _atStart;

    // By the store, which may know of a commit before whoever made it has counted it: kept apart from what was done here.
    private RunCounts _counts;
    private int _doneHere;
    private TableName? _table;
    private string _phase = "plan";
    private int _active;

    // What is done for good, what is under way, and the most of both that was shown.
    private (long Rows, long Bytes, double Planned) _done, _underWay, _shown;

    /// <summary>When the snapshot was taken, once there is one.</summary>
    public DateTimeOffset? SnapshotTakenAt { get; set; }

    public TimeSpan Elapsed => clock.GetElapsedTime(_start);

    /// <summary>The plan stands; work begins.</summary>
    public void Begin(string phase, RunCounts counts)
    {
        lock (_lock)
        {
            (_phase, _atStart, _counts) = (phase, counts, counts);
            _working = clock.GetTimestamp();
        }
    }

    /// <summary>What the store says, other processes included.</summary>
    public void Count(RunCounts counts)
    {
        lock (_lock)
        {
            // Read by several workers: the answers may come in another order.
            if (counts.Done >= _counts.Done && counts.Total >= _counts.Total)
                _counts = counts;
        }
    }

    public void End()
    {
        lock (_lock)
        {
            // What was under way here, failed, and was then done by another process, stays shown.
            _phase = "done";
        }
    }

    public Attempt Try(TableName table, long plannedBytes)
    {
        lock (_lock)
        {
            _table = table;
            _active++;
        }

        return new Attempt(this, plannedBytes);
    }

    public MigrationProgress Read(bool paused)
    {
        lock (_lock)
        {
            _shown = (
                Math.Max(_shown.Rows, _done.Rows + _underWay.Rows), Math.Max(_shown.Bytes, _done.Bytes + _underWay.Bytes),
                Math.Max(_shown.Planned, Math.Max(_done.Planned + _underWay.Planned, _counts.DoneBytes - _atStart.DoneBytes)));
            var working = _working is { } since ? clock.GetElapsedTime(since) : TimeSpan.Zero;
            var toDo = Math.Max(_counts.TotalBytes - _atStart.DoneBytes, 0);
            var share = _phase == "done" || (toDo == 0 && _counts.IsFinished && _working is not null) ? 1 : toDo == 0 ? 0 : Math.Min(_shown.Planned / toDo, 1);
            return new MigrationProgress(
                _phase, _table, Math.Max(_counts.Done, Math.Min(_atStart.Done + _doneHere, _counts.Total)), _counts.Total, _shown.Rows, _shown.Bytes,
                working > TimeSpan.Zero ? _shown.Rows / working.TotalSeconds : 0, Elapsed,
                share is > 0 and <= 1 ? working * ((1 - share) / share) : null, _active, paused)
            {
                SnapshotAge = SnapshotTakenAt is { } taken ? clock.GetUtcNow() - taken : null,
                PauseReason = paused ? $"{nameof(MigrationOptions.PauseWhile)} is true" : null,
                Fraction = _counts.TotalBytes == 0 ? share : Math.Min((_atStart.DoneBytes + share * toDo) / _counts.TotalBytes, 1),
            };
        }
    }

    /// <summary>One attempt at a partition; it counts only as long as it may still be done.</summary>
    public sealed class Attempt(ProgressMeter meter, long plannedBytes) : IDisposable
    {
        private long _rows;
        private long _bytes;
        private double _planned;
        private bool _ended;

        public void Moved(long bytes, long rows)
        {
            lock (meter._lock)
            {
                _rows += rows;
                _bytes += bytes;
                meter._underWay.Rows += rows;
                meter._underWay.Bytes += bytes;

                // A stream and what it is planned by differ in size: near enough for a share, but not to say that it is done.
                var planned = Math.Min(_bytes, plannedBytes * 0.99);
                meter._underWay.Planned += planned - _planned;
                _planned = planned;
            }
        }

        /// <summary>It is committed.</summary>
        public void Complete(PartitionOutcome outcome, bool completesPartition = true)
        {
            lock (meter._lock)
            {
                meter._done.Rows += outcome.Rows;
                meter._done.Bytes += outcome.Bytes;
                if (completesPartition)
                {
                    meter._done.Planned += plannedBytes;
                    meter._doneHere++;
                }

                Withdraw();
            }
        }

        public void Dispose()
        {
            lock (meter._lock)
                Withdraw();
        }

        private void Withdraw()
        {
            if (_ended)
                return;
            _ended = true;
            meter._active--;
            meter._underWay.Rows -= _rows;
            meter._underWay.Bytes -= _bytes;
            meter._underWay.Planned -= _planned;
        }
    }
}
