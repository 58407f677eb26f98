using BenchmarkDotNet.Attributes;
using Npgsql;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

/// <summary>The loops of <see cref="Cycles"/> as BenchmarkDotNet wants them: of a class that is public and open to be derived from.</summary>
[MemoryDiagnoser]
public class CycleBenchmarks
{
    private const int Count = 1_000;

    private readonly ConnectionPool _ours = Pools.Ours;
    private readonly NpgsqlDataSource _peer = Pools.Peer;

    /// <summary>Static because BenchmarkDotNet makes the object, and has nothing to hand to it.</summary>
    internal static Contestants Pools { get; set; } = null!;

    [Benchmark(OperationsPerInvoke = Count)]
    public Task OursAsync() => Cycles.OursAsync(_ours, Count);

    [Benchmark(OperationsPerInvoke = Count)]
    public Task PeerAsync() => Cycles.PeerAsync(_peer, Count);

    [Benchmark(OperationsPerInvoke = Count)]
    public void Ours() => Cycles.Ours(_ours, Count);

    [Benchmark(OperationsPerInvoke = Count)]
    public void Peer() => Cycles.Peer(_peer, Count);
}
