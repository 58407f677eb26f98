namespace PgPool.Benchmarks.Harness;

/// <summary>One case: a question about the pool's performance, and how it is measured.</summary>
internal interface IBenchmark
{
    /// <summary>What it is called on the command line and in the table.</summary>
    string Name { get; }

    /// <summary>What it does, in half a line.</summary>
    string What { get; }

    Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context);
}
