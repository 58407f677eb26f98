using PgPool.Migration.Catalogs;
using PgPool.Migration.Checkpoints;

namespace PgPool.Migration.Running;

/// <summary>What this call did to one table. Thread-safe.</summary>
internal sealed class TableTally(TablePlan table, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private long? _began;
    private long _ended;
    private PartitionOutcome _sum;
    private int _partitions;

    public long Rejected
    {
        get
        {
            lock (_lock)
                return _sum.Rejected;
        }
    }

    public void Begin()
    {
        lock (_lock)
            _began ??= clock.GetTimestamp();
    }

    /// <summary>A partition is done, or, of an update in place, a range of it.</summary>
    public void Add(PartitionOutcome outcome, bool completesPartition = true)
    {
        lock (_lock)
        {
            _sum = new PartitionOutcome(_sum.Rows + outcome.Rows, _sum.Bytes + outcome.Bytes, _sum.Rejected + outcome.Rejected);
            _partitions += completesPartition ? 1 : 0;
            _ended = clock.GetTimestamp();
        }
    }

    public TableReport Report()
    {
        lock (_lock)
        {
            var elapsed = _partitions > 0 && _began is { } began ? clock.GetElapsedTime(began, _ended) : TimeSpan.Zero;
            return new TableReport(table.Source, table.Target, _sum.Rows, _sum.Bytes, _partitions, elapsed);
        }
    }
}
