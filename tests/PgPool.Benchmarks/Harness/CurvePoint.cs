namespace PgPool.Benchmarks.Harness;

/// <summary>The place of a finding on a curve: for the chart.</summary>
/// <param name="Curve">What the curve shows.</param>
/// <param name="Connections">The size of the pool.</param>
internal sealed record CurvePoint(string Curve, int Connections);
