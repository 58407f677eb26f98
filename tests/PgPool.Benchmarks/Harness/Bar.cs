namespace PgPool.Benchmarks.Harness;

/// <summary>What a figure is to reach.</summary>
internal sealed record Bar(double Limit, bool IsMinimum)
{
    public static Bar AtMost(double limit) => new(limit, IsMinimum: false);

    public static Bar AtLeast(double limit) => new(limit, IsMinimum: true);

    public bool IsMetBy(double figure) => IsMinimum ? figure >= Limit : figure <= Limit;

    public override string ToString() => FormattableString.Invariant($"{(IsMinimum ? ">=" : "<=")} {Limit:#,0.##}");
}
