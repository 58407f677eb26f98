using PgPool.Engine;

namespace PgPool.Diagnostics;

/// <summary>What the engine tells of itself. Called outside its lock, after the change of state.</summary>
internal interface IPoolEvents
{
    void Opened(int backendProcessId, TimeSpan took);
    void OpenFailed(Exception exception, OpenFailure failure, int connections);
    void Closed(int backendProcessId, CloseReason reason, string? detail);

    /// <summary>Whether anybody wants to hear of <see cref="Used"/>, which happens often.</summary>
    bool TimesUse { get; }

    /// <summary>A lease was returned.</summary>
    void Used(TimeSpan heldFor);

    /// <summary>The session of a returned connection was reset, and the connection is kept.</summary>
    void Reset(TimeSpan took);

    void DirtyReturn(in RentRequest request, int backendProcessId, in ResetVerdict verdict);
    void Abandoned(RentRequest request);
    void LongLease(LeaseInfo lease);
    void LongLeaseReturned(LeaseInfo lease);
}
