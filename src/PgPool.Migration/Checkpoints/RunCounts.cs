namespace PgPool.Migration.Checkpoints;

/// <summary>How far a run is, all processes together.</summary>
/// <param name="Done">Partitions that are done.</param>
/// <param name="Total">All partitions.</param>
/// <param name="DoneBytes">The planned bytes of those done.</param>
/// <param name="TotalBytes">The planned bytes of all.</param>
internal readonly record struct RunCounts(int Done, int Total, long DoneBytes, long TotalBytes)
{
    public bool IsFinished => Done == Total;
}
