namespace PgPool.Migration.Copying;

/// <summary>Is told of each chunk that a relay moves, and may hold it up: to report, to throttle.</summary>
internal interface ICopyObserver
{
    /// <summary>A chunk went to the target. The next one waits for this; what it throws ends the relay.</summary>
    /// <param name="bytes">The chunk's.</param>
    /// <param name="rows">Rows that begin in it (binary) or end in it (text).</param>
    /// <param name="cancellationToken">The relay's.</param>
    ValueTask MovedAsync(int bytes, long rows, CancellationToken cancellationToken);
}
