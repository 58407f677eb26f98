namespace PgPool.Migration.Tests.Fidelity;

/// <summary>A type of the zoo, and values of it that differ from each other.</summary>
/// <param name="Name">As SQL has it.</param>
/// <param name="Values">SQL expressions.</param>
internal sealed record ZooType(string Name, params string[] Values)
{
    /// <summary>The first version that has it, and arrays and domains of it: from 11 on, of domains and composites too.</summary>
    public int Since { get; init; } = 10;

    /// <summary>Whether ranges can be made of it.</summary>
    public bool IsOrdered { get; init; } = true;

    /// <summary>Made in both databases before, the parts in another order in the target.</summary>
    public string? Ddl { get; init; }
}
