using System.Diagnostics;

namespace CopyDatabase;

/// <summary>How far the copy of a table has come; written by several workers while the screen reads it.</summary>
internal sealed class TableProgress
{
    private long _rows;
    private long _bytes;
    private long _started;
    private long _ended;
    private int _partsDone;
    private volatile bool _isDone;

    public long Rows => Interlocked.Read(ref _rows);
    public long Bytes => Interlocked.Read(ref _bytes);
    public bool HasStarted => Interlocked.Read(ref _started) != 0;
    public bool IsDone => _isDone;

    /// <summary>From the first part's beginning to the last one's end.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(Interlocked.Read(ref _started), Interlocked.Read(ref _ended));

    public void PartStarted() => Interlocked.CompareExchange(ref _started, Stopwatch.GetTimestamp(), 0);

    public void Moved(int bytes, long rows)
    {
        Interlocked.Add(ref _bytes, bytes);
        Interlocked.Add(ref _rows, rows);
    }

    public void PartDone(int count)
    {
        Interlocked.Exchange(ref _ended, Stopwatch.GetTimestamp());
        _isDone = Interlocked.Increment(ref _partsDone) == count;
    }
}
