using System.Diagnostics;
using PgPool;
using PgPool.Migration;
using Spectre.Console;

namespace CopyDatabase;

/// <summary>What the user sees in the end.</summary>
internal static class Report
{
    private const string Same = "[green]same[/]";
    private const string Different = "[red]DIFFERENT[/]";

    public static void ShowTables(MigrationReport copied, VerificationReport verified)
    {
        var screen = NewTable("Table", "Rows", "MB", "Seconds", "MB/s", "Rows there", "Verified");
        foreach (var (table, check) in copied.Tables.Zip(verified.Tables))
            AddRow(NameOf(table.Target), table.Rows, table.Bytes, table.Elapsed, check.TargetRows, Verdict(check));
        screen.AddEmptyRow();
        AddRow("all", copied.Rows, copied.Bytes, copied.Elapsed, verified.Tables.Sum(table => table.TargetRows),
            verified.Matches ? Same : verified.MatchesButForRejected ? ButForRejected(verified.Tables.Sum(table => table.RejectedRows)) : Different);
        AnsiConsole.Write(screen);

        void AddRow(string name, long rows, long bytes, TimeSpan time, long there, string verdict) => screen.AddRow(
            Markup.Escape(name), $"{rows:N0}", $"{bytes / 1e6:N1}", $"{time.TotalSeconds:N2}",
            time > TimeSpan.Zero ? $"{bytes / 1e6 / time.TotalSeconds:N1}" : "",
            $"{there:N0}", verdict);
    }

    public static void TellDifferences(VerificationReport verified)
    {
        var different = string.Join(", ", verified.Tables.Where(table => !table.Matches && !table.MatchesButForRejected).Select(table => table.Target));
        Console.Error.WriteLine(
            $"Not the same on both sides: {different}. What the target's triggers did (see --disable-triggers) and what anybody "
            + "wrote to either side since the copy began make a difference.");
    }

    public static void ShowRun(MigrationReport copied)
    {
        if (copied.PartitionsSkipped > 0)
            AnsiConsole.WriteLine($"{copied.PartitionsSkipped} parts had been copied before; rows, MB and seconds are those of this call.");
        if (copied.RejectedRows > 0)
            AnsiConsole.WriteLine($"The target refused {copied.RejectedRows:N0} rows: they are in its table pgpool_migration.rejected, each with the reason.");
        if (copied.Retries > 0)
            AnsiConsole.WriteLine($"{copied.Retries} attempts failed and were made again.");
        AnsiConsole.WriteLine(copied.Consistency == Consistency.Snapshot
            ? "Every row was read at one instant."
            : "Parts were read at several instants, as the run was resumed; if the source changed in between, the copy is of none of them.");
    }

    public static void ShowMemory()
    {
        using var process = Process.GetCurrentProcess();
        AnsiConsole.WriteLine($"This process took {process.PeakWorkingSet64 / 1e6:N0} MB of memory at most.");
    }

    public static void ShowPools(params ReadOnlySpan<PoolStatistics> pools)
    {
        var screen = NewTable("Pool", "At most", "Opened", "Leases", "Had to wait", "Mean wait, ms");
        foreach (var pool in pools)
        {
            screen.AddRow(
                Markup.Escape(pool.PoolName), $"{pool.MaxSize}", $"{pool.Opened}", $"{pool.Rented}", $"{pool.Queued}",
                $"{pool.TotalWaitTime.TotalMilliseconds / Math.Max(pool.Queued, 1):N1}");
        }

        AnsiConsole.Write(screen);
    }

    private static string Verdict(TableVerification table) =>
        table.Matches ? Same : table.MatchesButForRejected ? ButForRejected(table.RejectedRows) : Different;

    private static string ButForRejected(long rows) => $"[yellow]same but for {rows:N0} rejected row{(rows == 1 ? "" : "s")}[/]";

    private static string NameOf(TableName table) => table.Schema == "public" ? table.Name : $"{table.Schema}.{table.Name}";

    private static Table NewTable(string first, params ReadOnlySpan<string> others)
    {
        var screen = new Table().Border(TableBorder.Simple).AddColumn(first);
        foreach (var heading in others)
            screen.AddColumn(new TableColumn(heading).RightAligned());
        return screen;
    }
}
