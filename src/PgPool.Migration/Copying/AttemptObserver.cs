using PgPool.Migration.Running;

namespace PgPool.Migration.Copying;

/// <summary>Counts what goes through, and holds it to the run's rate.</summary>
/// <param name="attempt">Counts it; null where it counts only when it has arrived.</param>
/// <param name="throttle">The run's.</param>
internal sealed class AttemptObserver(ProgressMeter.Attempt? attempt, ByteThrottle throttle) : ICopyObserver
{
    public ValueTask MovedAsync(int bytes, long rows, CancellationToken cancellationToken)
    {
        attempt?.Moved(bytes, rows);
        return throttle.MovedAsync(bytes, cancellationToken);
    }
}
