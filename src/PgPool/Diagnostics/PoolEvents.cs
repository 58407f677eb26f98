using Microsoft.Extensions.Logging;
using PgPool.Engine;

namespace PgPool.Diagnostics;

/// <summary>What happens in the pool, as a person on call wants to read it.</summary>
internal sealed class PoolEvents(ILogger logger, string pool) : IPoolEvents
{
    public void Opened(int backendProcessId, TimeSpan took) => PoolLog.Opened(logger, pool, backendProcessId, took.TotalMilliseconds);

    public void OpenFailed(Exception exception, OpenFailure failure)
    {
        switch (failure)
        {
            case OpenFailure.Permanent:
                PoolLog.OpenRefused(logger, pool, exception);
                break;
            case OpenFailure.ServerFull:
                PoolLog.ServerFull(logger, pool, exception);
                break;
            default:
                PoolLog.OpenFailed(logger, pool, exception);
                break;
        }
    }

    public void Closed(int backendProcessId, CloseReason reason, string? detail) => PoolLog.Closed(logger, pool, backendProcessId, reason, detail);

    public void DirtyReturn(in RentRequest request, int backendProcessId, in ResetVerdict verdict)
    {
        switch (verdict.Retire)
        {
            case null:
                PoolLog.TransactionLeftOpen(logger, pool, request.Label, request.CallSite, backendProcessId);
                break;
            case CloseReason.Broken when verdict.WasDirty:
                PoolLog.ReturnedBusy(logger, pool, request.Label, request.CallSite, backendProcessId);
                break;
            case CloseReason.Broken:
                PoolLog.ReturnedBroken(logger, pool, request.Label, request.CallSite, backendProcessId, verdict.Error);
                break;
            case CloseReason.SessionReplaced:
                PoolLog.SessionReplaced(logger, pool, request.Label, request.CallSite, backendProcessId);
                break;
            default:
                PoolLog.ResetFailed(logger, pool, request.Label, request.CallSite, backendProcessId, verdict.Error);
                break;
        }
    }

    public void Abandoned(RentRequest request) => PoolLog.Abandoned(logger, pool, request.Label, request.CallSite);

    public void LongLease(LeaseInfo lease)
        => PoolLog.LongLease(logger, pool, lease.Id, lease.HeldFor.TotalSeconds, lease.Label, lease.CallSite, lease.BackendProcessId, lease.StackTrace);

    public void NestedRent(in RentRequest request) => PoolLog.NestedRent(logger, pool, request.CallSite);

    public void PoolClosed() => PoolLog.PoolClosed(logger, pool);
}
