namespace PgPool.Engine;

/// <summary>One connection, handed out.</summary>
internal readonly record struct Loan<T>(Slot<T> Slot, T Connection, long LeaseId) where T : class;

/// <summary>How a rent ended, with what it got.</summary>
/// <param name="Outcome">Whether it got anything.</param>
/// <param name="Loan">The connection of a rent of one.</param>
/// <param name="Group">The connections of a rent of several.</param>
/// <param name="Error">Why the server refused, when it did.</param>
/// <param name="Waited">How long it took.</param>
internal readonly record struct RentResult<T>(RentOutcome Outcome, Loan<T> Loan, Loan<T>[]? Group, Exception? Error, TimeSpan Waited) where T : class;
