namespace PgPool.Benchmarks.Harness;

/// <summary>A line of the report.</summary>
/// <param name="What">What was measured, with its unit.</param>
/// <param name="Ours">The figure of this pool.</param>
/// <param name="Peer">The figure of Npgsql's own pool, if it has one.</param>
/// <param name="Ratio">Ours to the peer's, where the claim is about that; not their quotient but the median over the rounds.</param>
/// <param name="Bar">What the ratio is to reach, or, without one, our figure. None: for information.</param>
/// <param name="Point">Where it stands on a curve, if it is of one.</param>
internal sealed record Finding(
    string What, double Ours, double? Peer = null, double? Ratio = null, Bar? Bar = null, CurvePoint? Point = null)
{
    /// <summary>Null without a bar.</summary>
    public bool? Met => Bar?.IsMetBy(Ratio ?? Ours);
}
