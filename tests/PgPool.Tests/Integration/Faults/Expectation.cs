namespace PgPool.Tests.Integration.Faults;

/// <summary>What becomes of a fault. Returning a lease never throws, and nothing is ever lost: that goes for every cell.</summary>
/// <param name="Rent">What the renter sees that waits for the session, or comes right after the fault.</param>
/// <param name="Closed">Why the pool closed the session; null: it did not.</param>
/// <param name="CommandFails">The command of a lease that is out fails.</param>
/// <param name="OpenFailed">Attempts to open that failed until the renter had its answer; null: as many as time allowed.</param>
public sealed record Expectation(Seen Rent, CloseReason? Closed = null, bool CommandFails = false, int? OpenFailed = 0);
