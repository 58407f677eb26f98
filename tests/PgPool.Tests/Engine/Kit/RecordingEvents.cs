using System.Collections.Concurrent;
using PgPool.Diagnostics;
using PgPool.Engine;

namespace PgPool.Tests.Engine.Kit;

/// <summary>What the engine told of itself.</summary>
internal sealed class RecordingEvents : IPoolEvents
{
    public ConcurrentQueue<int> OpenedIds { get; } = [];
    public ConcurrentQueue<OpenFailure> Failures { get; } = [];
    public ConcurrentQueue<(int Id, CloseReason Reason, string? Detail)> Closes { get; } = [];
    public ConcurrentQueue<(string CallSite, ResetVerdict Verdict)> Dirty { get; } = [];
    public ConcurrentQueue<string> AbandonedAt { get; } = [];
    public ConcurrentQueue<LeaseInfo> LongLeases { get; } = [];
    public ConcurrentQueue<LeaseInfo> LongLeasesReturned { get; } = [];

    public ConcurrentQueue<TimeSpan> Uses { get; } = [];
    public ConcurrentQueue<TimeSpan> Resets { get; } = [];

    public bool TimesUse => true;

    public void Used(TimeSpan heldFor) => Uses.Enqueue(heldFor);

    public void Reset(TimeSpan took) => Resets.Enqueue(took);

    public void Opened(int backendProcessId, TimeSpan took) => OpenedIds.Enqueue(backendProcessId);

    public void OpenFailed(Exception exception, OpenFailure failure, int connections) => Failures.Enqueue(failure);

    public void Closed(int backendProcessId, CloseReason reason, string? detail) => Closes.Enqueue((backendProcessId, reason, detail));

    public void DirtyReturn(in RentRequest request, int backendProcessId, in ResetVerdict verdict) => Dirty.Enqueue((request.CallSite, verdict));

    public void Abandoned(RentRequest request) => AbandonedAt.Enqueue(request.CallSite);

    public void LongLease(LeaseInfo lease) => LongLeases.Enqueue(lease);

    public void LongLeaseReturned(LeaseInfo lease) => LongLeasesReturned.Enqueue(lease);
}
