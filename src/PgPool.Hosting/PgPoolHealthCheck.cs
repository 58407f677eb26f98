using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace PgPool.Hosting;

/// <summary>Whether an application can get a connection from a pool, with the pool's statistics as data.</summary>
/// <remarks>
/// <para>
/// Healthy: idle connections answer, or one could be opened. Degraded: rents wait, the last attempt to open a connection failed while one is wanted, or the
/// pool is suspended.
/// Unhealthy, by the registration's failure status: there is no connection, and none can be opened; or the pool is closed.
/// </para>
/// <para>It pings the idle connections, and rents one, before all who wait, only where none is idle and none is lent, or some were dead.</para>
/// </remarks>
/// <param name="pool">The pool.</param>
public sealed class PgPoolHealthCheck(ConnectionPool pool) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        try
        {
            var dead = await pool.CheckAsync(cancellationToken).ConfigureAwait(false);

            // Those that were dead just now may still be closing: they count, and are worth nothing.
            var now = pool.GetStatistics();
            if (now.Idle == 0 && (now.Leased == 0 || dead > 0) && !pool.IsSuspended)
            {
                var options = new RentOptions { Timeout = Patience, Priority = RentPriority.High, Label = "health check" };
                await using var lease = (await pool.RentAsync(options, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
            }
            return Judge(pool.GetStatistics(), pool.IsSuspended);
        }
        catch (Exception exception) when (exception is PoolException or ObjectDisposedException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, exception.Message, exception, Data(pool.GetStatistics()));
        }
    }

    private static HealthCheckResult Judge(PoolStatistics now, bool isSuspended)
    {
        var data = Data(now);
        if (isSuspended)
            return HealthCheckResult.Degraded("The pool is suspended: rents wait for it to be resumed.", data: data);
        if (now.LastOpenError is { } error && (now.Idle == 0 || now.Waiting > 0 || now.Total < now.MinSize))
            return HealthCheckResult.Degraded($"The last attempt to open a connection failed: {error.Message}", error, data);
        if (now.Waiting > 0)
        {
            return HealthCheckResult.Degraded(
                string.Create(CultureInfo.InvariantCulture, $"{now.Waiting} rents wait, the longest for {now.LongestWait.TotalSeconds:0.0} s."), data: data);
        }
        return HealthCheckResult.Healthy(string.Create(CultureInfo.InvariantCulture, $"{now.Leased} of {now.MaxSize} connections are in use."), data);
    }

    private static Dictionary<string, object> Data(PoolStatistics now) => new()
    {
        ["pool"] = now.PoolName,
        ["minSize"] = now.MinSize,
        ["maxSize"] = now.MaxSize,
        ["total"] = now.Total,
        ["idle"] = now.Idle,
        ["leased"] = now.Leased,
        ["resetting"] = now.Resetting,
        ["opening"] = now.Opening,
        ["waiting"] = now.Waiting,
        ["longestWaitSeconds"] = now.LongestWait.TotalSeconds,
        ["rented"] = now.Rented,
        ["timedOut"] = now.TimedOut,
        ["openFailed"] = now.OpenFailed,
        ["closed"] = now.Closed,
        ["dirtyReturns"] = now.DirtyReturns,
        ["abandoned"] = now.Abandoned,
    };
}
