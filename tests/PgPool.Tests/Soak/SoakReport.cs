using System.Collections.Concurrent;
using System.Diagnostics;

namespace PgPool.Tests.Soak;

/// <summary>What happened, counted by kind, and what should not have happened.</summary>
internal sealed class SoakReport(TextWriter output)
{
    private const int FindingsShown = 50;

    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly ConcurrentDictionary<string, long> _rents = [];
    private readonly ConcurrentDictionary<string, long> _outcomes = [];
    private readonly ConcurrentDictionary<string, long> _faults = [];
    private readonly ConcurrentDictionary<string, long> _longest = [];
    private int _findings;

    public bool HasFindings => Volatile.Read(ref _findings) > 0;

    private TimeSpan Elapsed => Stopwatch.GetElapsedTime(_startedAt);

    public void Rented(string how, TimeSpan waited)
    {
        Count(_rents, how);
        _longest.AddOrUpdate(how, (long)waited.TotalMilliseconds, (_, longest) => Math.Max(longest, (long)waited.TotalMilliseconds));
    }

    public void Outcome(string kind) => Count(_outcomes, kind);

    public void Fault(string kind) => Count(_faults, kind);

    public void Line(string text)
    {
        lock (output)
            output.WriteLine(FormattableString.Invariant($"{Elapsed.TotalSeconds,6:0.0} s  {text}"));
    }

    /// <summary>What must never happen. The soak goes on, to see what else there is.</summary>
    public void Finding(string what)
    {
        if (Interlocked.Increment(ref _findings) <= FindingsShown)
            Line("FOUND: " + what);
    }

    public void Summarize(PoolStatistics statistics, TimeSpan worked)
    {
        Line(FormattableString.Invariant($"rents: {statistics.Rented} leases, {statistics.Rented / worked.TotalSeconds:0}/s"));
        Table("rents by kind", _rents);
        Table("longest rent, ms", _longest);
        Table("outcomes", _outcomes);
        Table("faults", _faults);
        Line($"connections: {statistics.Opened} opened, {statistics.OpenFailed} failed to, {statistics.Closed} closed");
        Table("closed", statistics.ClosedByReason.Where(static reason => reason.Value > 0).ToDictionary(static reason => $"{reason.Key}", static reason => reason.Value));
        Line($"returned dirty: {statistics.DirtyReturns}, abandoned: {statistics.Abandoned}, timed out: {statistics.TimedOut}, cancelled: {statistics.Cancelled}");
    }

    /// <returns>Whether all was well.</returns>
    public bool Conclude()
    {
        Line(HasFindings ? $"FAILED: {_findings} findings" : "passed: nothing found");
        return !HasFindings;
    }

    private static void Count(ConcurrentDictionary<string, long> counts, string kind)
        => counts.AddOrUpdate(kind, 1, static (_, count) => count + 1);

    private void Table(string title, IEnumerable<KeyValuePair<string, long>> counts)
        => Line($"{title}: {string.Join(", ", counts.OrderByDescending(static count => count.Value).Select(static count => $"{count.Key} {count.Value}"))}");
}
