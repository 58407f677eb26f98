using Microsoft.Extensions.Logging;
using PgPool.Engine;
using PgPool.Sessions;

namespace PgPool.Diagnostics;

/// <summary>What happens in the pool, as a person on call wants to read it, and as a dashboard counts it.</summary>
internal sealed class PoolEvents(ILogger target, string pool, ServerCapacity capacity, PoolMetrics metrics) : IPoolEvents
{
    private readonly NeverThrowingLogger _logger = new(target);

    public bool TimesUse => metrics.TimesUse;

    public void Opened(int backendProcessId, TimeSpan took)
    {
        metrics.Opened(took);
        PoolLog.Opened(_logger, pool, backendProcessId, took.TotalMilliseconds);
    }

    public void OpenFailed(Exception exception, OpenFailure failure, int connections)
    {
        switch (failure)
        {
            case OpenFailure.Permanent:
                PoolLog.OpenRefused(_logger, pool, exception);
                break;
            case OpenFailure.ServerFull when _logger.IsEnabled(LogLevel.Warning):
                PoolLog.ServerFull(_logger, pool, PoolMessages.ShareOfServer(connections, capacity.MaxConnections), exception);
                break;
            case OpenFailure.ServerFull:
                break;
            default:
                PoolLog.OpenFailed(_logger, pool, exception);
                break;
        }
    }

    public void Closed(int backendProcessId, CloseReason reason, string? detail) => PoolLog.Closed(_logger, pool, backendProcessId, reason, detail);

    public void Used(TimeSpan heldFor) => metrics.Used(heldFor);

    public void Reset(TimeSpan took) => metrics.Reset(took);

    public void DirtyReturn(in RentRequest request, int backendProcessId, in ResetVerdict verdict)
    {
        if (!_logger.IsEnabled(LogLevel.Information))
            return;
        switch (verdict.Retire)
        {
            case null:
                PoolLog.TransactionLeftOpen(_logger, pool, request.Label, request.CallSite, backendProcessId);
                break;
            case CloseReason.Broken when verdict.WasDirty:
                PoolLog.ReturnedBusy(_logger, pool, request.Label, request.CallSite, backendProcessId);
                break;
            case CloseReason.Broken:
                PoolLog.ReturnedBroken(_logger, pool, request.Label, request.CallSite, backendProcessId, verdict.Error);
                break;
            case CloseReason.SessionReplaced:
                PoolLog.SessionReplaced(_logger, pool, request.Label, request.CallSite, backendProcessId);
                break;
            case CloseReason.ValidationFailed:
                PoolLog.ServerReadOnly(_logger, pool, backendProcessId);
                break;
            // Its renter's transaction has ended, or the pool waits for that no longer: nothing is wrong with that.
            case CloseReason.Enlisted or CloseReason.PoolClosed:
                break;
            default:
                PoolLog.ResetFailed(_logger, pool, request.Label, request.CallSite, backendProcessId, verdict.Error);
                break;
        }
    }

    public void Abandoned(RentRequest request)
    {
        if (_logger.IsEnabled(LogLevel.Warning))
            PoolLog.Abandoned(_logger, pool, request.Label, request.CallSite, request.Details?.StackTrace);
    }

    public void LongLease(LeaseInfo lease)
        => PoolLog.LongLease(_logger, pool, lease.Id, lease.HeldFor.TotalSeconds, lease.Label, lease.CallSite, lease.BackendProcessId, lease.StackTrace);

    public void LongLeaseReturned(LeaseInfo lease)
        => PoolLog.LongLeaseReturned(_logger, pool, lease.Id, lease.HeldFor.TotalSeconds, lease.Label, lease.CallSite, lease.BackendProcessId);

    public void NestedRent(in RentRequest request)
    {
        if (_logger.IsEnabled(LogLevel.Warning))
            PoolLog.NestedRent(_logger, pool, request.CallSite);
    }

    public void PoolMade(int minSize, int maxSize) => PoolLog.PoolMade(_logger, pool, minSize, maxSize);

    public void PoolClosed() => PoolLog.PoolClosed(_logger, pool);

    public void Suspended() => PoolLog.Suspended(_logger, pool);

    public void Resumed() => PoolLog.Resumed(_logger, pool);

    public void Resized(int minSize, int maxSize) => PoolLog.Resized(_logger, pool, minSize, maxSize);

    public void Cleared() => PoolLog.Cleared(_logger, pool);
}
