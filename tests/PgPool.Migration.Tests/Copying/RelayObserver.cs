using PgPool.Migration.Copying;

namespace PgPool.Migration.Tests.Copying;

/// <summary>Adds up what it is told, and does something at the first chunk.</summary>
internal sealed class RelayObserver(Func<ValueTask>? first = null) : ICopyObserver
{
    private int _calls;

    public long Bytes { get; private set; }

    public long Rows { get; private set; }

    public int Calls => _calls;

    public ValueTask MovedAsync(int bytes, long rows, CancellationToken cancellationToken)
    {
        Bytes += bytes;
        Rows += rows;
        return Interlocked.Increment(ref _calls) == 1 && first is not null ? first() : default;
    }
}
