using PgPool;
using Spectre.Console;
using ScreenTable = Spectre.Console.Table;

namespace CopyDatabase;

/// <summary>What the user sees.</summary>
internal static class Report
{
    private const int ManyTables = 15;

    /// <summary>Shows a bar per table while the copy runs; without a terminal, a line now and then.</summary>
    public static Task ShowProgressAsync(IReadOnlyList<Table> tables, Task copying) =>
        AnsiConsole.Progress()
            .HideCompleted(tables.Count > ManyTables)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
                new TransferSpeedColumn())
            .StartAsync(async screen =>
            {
                var bars = new Dictionary<string, ProgressTask>();
                do
                {
                    await Task.WhenAny(copying, Task.Delay(100));
                    foreach (var table in tables.Where(table => table.Progress.HasStarted))
                    {
                        if (!bars.TryGetValue(table.Name, out var bar))
                            bars.Add(table.Name, bar = screen.AddTask(Markup.Escape(table.Name), maxValue: table.Bytes + 1));

                        // A table and its stream differ in size: near enough for a bar, but not to say that it is done.
                        bar.Value = table.Progress.IsDone ? bar.MaxValue : Math.Min(table.Progress.Bytes, bar.MaxValue * 0.99);
                    }
                }
                while (!copying.IsCompleted);
                await copying;
            });

    public static void ShowTables(IReadOnlyList<Table> tables, IReadOnlyCollection<string> different, TimeSpan elapsed)
    {
        var screen = NewTable("Table", "Rows", "MB", "Seconds", "MB/s", "Verified");
        foreach (var table in tables)
            AddRow(table.Name, table.Progress.Rows, table.Progress.Bytes, table.Progress.Elapsed, different.Contains(table.Name));
        screen.AddEmptyRow();
        AddRow("all", tables.Sum(table => table.Progress.Rows), tables.Sum(table => table.Progress.Bytes), elapsed, different.Count > 0);
        AnsiConsole.Write(screen);

        void AddRow(string name, long rows, long bytes, TimeSpan time, bool differs) => screen.AddRow(
            Markup.Escape(name), $"{rows:N0}", $"{bytes / 1e6:N1}", $"{time.TotalSeconds:N2}", $"{bytes / 1e6 / time.TotalSeconds:N1}",
            differs ? "[red]DIFFERENT[/]" : "[green]same[/]");
    }

    public static void ShowPools(TimeSpan longestWait, params ReadOnlySpan<PoolStatistics> pools)
    {
        var screen = NewTable("Pool", "At most", "Opened", "Leases", "Had to wait", "Mean wait, ms");
        foreach (var pool in pools)
        {
            screen.AddRow(
                Markup.Escape(pool.PoolName), $"{pool.MaxSize}", $"{pool.Opened}", $"{pool.Rented}", $"{pool.Queued}",
                $"{pool.TotalWaitTime.TotalMilliseconds / Math.Max(pool.Queued, 1):N1}");
        }

        AnsiConsole.Write(screen);
        AnsiConsole.WriteLine($"Longest wait of a worker for a lease: {longestWait.TotalMilliseconds:N1} ms");
    }

    private static ScreenTable NewTable(string first, params ReadOnlySpan<string> others)
    {
        var screen = new ScreenTable().Border(TableBorder.Simple).AddColumn(first);
        foreach (var heading in others)
            screen.AddColumn(new TableColumn(heading).RightAligned());
        return screen;
    }
}
