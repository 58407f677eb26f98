namespace PgPool.Engine;

/// <summary>What is kept of a rent only when the pool's options ask for it.</summary>
internal sealed record RentDetails
{
    /// <summary>The stack of the rent, when stack traces are captured.</summary>
    public string? StackTrace { get; init; }

    /// <summary>The flow that rents, when nested rents are watched.</summary>
    public RentFlow? Flow { get; init; }

    /// <summary>Refuse rather than wait when the pool is full: the flow holds a lease already and could deadlock.</summary>
    public bool RefuseWhenFull { get; init; }
}
