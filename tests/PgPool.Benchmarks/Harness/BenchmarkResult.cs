namespace PgPool.Benchmarks.Harness;

/// <summary>What came out of one case.</summary>
/// <param name="Name">The case.</param>
/// <param name="Findings">None when it failed.</param>
/// <param name="Error">Why it could not be measured. A bar that is missed is no error.</param>
internal sealed record BenchmarkResult(string Name, IReadOnlyList<Finding> Findings, string? Error = null);
