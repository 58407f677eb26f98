using PgPool.Benchmarks.Cases;
using PgPool.Benchmarks.Cases.Copying;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks;

/// <summary>All cases, in the order in which they run and are reported.</summary>
internal static class Catalog
{
    public static IReadOnlyList<IBenchmark> All { get; } =
    [
        new Cycle(blocking: false),
        new Cycle(blocking: true),
        new CycleTwoThreads(),
        new SelectOne(SessionReset.Full, blocking: false),
        new SelectOne(SessionReset.None, blocking: false),
        new SelectOne(SessionReset.Full, blocking: true),
        new SelectOne(SessionReset.None, blocking: true),
        new Load(SessionReset.Full),
        new Load(SessionReset.None),
        new Burst(SessionReset.Full),
        new Burst(SessionReset.None),
        new Handover(),
        new WarmUp(),
        new Growth(),
        new ForEach(),
        new Restart(),
        new Floors(),
        new Resets(),
        new Sizing(),
        new CopyTable(workers: 1),
        new CopyTable(workers: 2),
        new CopyPeers(),
        new CopyParts(),
    ];
}
