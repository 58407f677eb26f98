using System.Diagnostics;

namespace PgPool.Tests.Soak;

/// <summary>The memory, handles and threads of this process at quiet points, and whether they grow.</summary>
internal sealed class MemoryLog(SoakReport report)
{
    // Fewer say nothing of a trend: one of each third to spare.
    private const int SamplesNeeded = 4;

    private readonly List<Sample> _samples = [];

    public void Take()
    {
        using var process = Process.GetCurrentProcess();
        // Twice: what a finalizer lets go of goes with the second.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var managed = GC.GetTotalMemory(forceFullCollection: true);
        // The thread pool sizes itself; all other threads are somebody's.
        var sample = new Sample(managed, process.WorkingSet64, process.HandleCount, process.Threads.Count - ThreadPool.ThreadCount);
        _samples.Add(sample);
        report.Line(FormattableString.Invariant(
            $"memory: {sample.Managed / 1e6:0.00} MB managed, {sample.WorkingSet / 1e6:0} MB working set, {sample.Handles} handles, {sample.Threads} threads"));
    }

    /// <summary>The last third against the first, without the first sample: the medians, as one sample may be off.</summary>
    public void Judge()
    {
        var settled = _samples.Skip(1).ToArray();
        if (settled.Length < SamplesNeeded)
        {
            report.Line($"memory: not judged, {settled.Length} quiet points after the first are too few");
            return;
        }
        Judge("managed bytes", settled, static sample => sample.Managed, slack: 2_000_000);
        Judge("bytes of the working set", settled, static sample => sample.WorkingSet, slack: 20_000_000);
        Judge("handles", settled, static sample => sample.Handles, slack: 10);
        Judge("threads", settled, static sample => sample.Threads, slack: 2);
    }

    private void Judge(string what, Sample[] samples, Func<Sample, long> value, long slack)
    {
        var third = Math.Max(1, samples.Length / 3);
        var first = Median(samples[..third].Select(value));
        var last = Median(samples[^third..].Select(value));
        if (last > first + first / 10 + slack)
            report.Finding($"{what} grew from {first} to {last}");
    }

    private static long Median(IEnumerable<long> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    private sealed record Sample(long Managed, long WorkingSet, int Handles, int Threads);
}
