namespace PgPool;

/// <summary>What happens when a flow that holds a lease of a pool rents another one of the same pool.</summary>
/// <remarks>
/// Enough workers that each hold one lease and wait for a second wait for ever. <see cref="ConnectionPool.RentManyAsync"/> takes several
/// connections without that danger.
/// </remarks>
public enum NestedRentPolicy
{
    /// <summary>Nothing. The default, and free.</summary>
    Allow,

    /// <summary>Logs a warning when an asynchronous flow (its child tasks included) that holds a lease of this pool rents another.</summary>
    Warn,

    /// <summary>Throws <see cref="InvalidOperationException"/> for such a rent when the pool is full, so that it could deadlock.</summary>
    ThrowIfFull,
}
