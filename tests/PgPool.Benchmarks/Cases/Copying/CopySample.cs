using System.Diagnostics;
using System.Globalization;
using PgPool.TestSupport;

namespace PgPool.Benchmarks.Cases.Copying;

/// <summary>What one copy took.</summary>
/// <param name="Elapsed">From its call to its end.</param>
/// <param name="Processor">Of this process.</param>
/// <param name="Backends">Processor time of the pools' backends; zero where it cannot be read.</param>
internal readonly record struct CopySample(TimeSpan Elapsed, TimeSpan Processor, TimeSpan Backends)
{
    // Of clock ticks, in which Linux counts what a process used: 100 a second on every machine that .NET runs on.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    /// <summary>This process' share of the processor time of both ends and itself.</summary>
    public double Share => Processor / (Processor + Backends);

    public static async Task<CopySample> MeasureAsync(Arena arena, Func<Task> copyAsync)
    {
        await arena.ResetAsync();
        var backends = await BackendsAsync(arena.Server);
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        var start = Stopwatch.GetTimestamp();
        await copyAsync();
        var elapsed = Stopwatch.GetElapsedTime(start);
        processor = Process.GetCurrentProcess().TotalProcessorTime - processor;
        backends = await BackendsAsync(arena.Server) - backends;
        await arena.CheckAsync();
        return new CopySample(elapsed, processor, backends);
    }

    // The pools keep their connections from round to round, and so the same processes do the work.
    private static async Task<TimeSpan> BackendsAsync(PostgresServer server)
    {
        if (server.Source != PostgresServerSource.Local)
            return TimeSpan.Zero;
        var processes = await server.ScalarAsync<int[]>("SELECT array_agg(pid) FROM pg_stat_activity WHERE application_name = 'copying'");
        return processes.Select(static process => Ticks($"/proc/{process}/stat")).Sum() * Tick;
    }

    // Fields 14 and 15, utime and stime; the second, a name in brackets, may have blanks: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    private static long Ticks(string file)
    {
        if (!File.Exists(file))
            return 0;
        var text = File.ReadAllText(file);
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    }
}
