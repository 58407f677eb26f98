using PgPool.Migration;
using Spectre.Console;

namespace CopyDatabase;

/// <summary>A bar for each thing that takes long; without a terminal, a line now and then.</summary>
internal static class ProgressScreen
{
    /// <summary>Shows a bar while the work goes on: as far as it tells, or just that it goes on.</summary>
    public static Task<T> ShowAsync<T>(string what, Func<IProgress<MigrationProgress>, Task<T>> work) =>
        AnsiConsole.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(async screen =>
            {
                var task = screen.AddTask(what, maxValue: 1);
                task.IsIndeterminate = true;
                var result = await work(new Bar(task));
                (task.IsIndeterminate, task.Value) = (false, task.MaxValue);
                return result;
            });

    // Not System.Progress: that tells on another thread, some time later, and in any order.
    private sealed class Bar(ProgressTask task) : IProgress<MigrationProgress>
    {
        public void Report(MigrationProgress value)
        {
            if (value.PartitionsTotal == 0)
                return;
            task.IsIndeterminate = false;
            task.Value = value.Fraction;
            task.Description = Markup.Escape(Describe(value));
        }

        private static string Describe(MigrationProgress value)
        {
            var seconds = Math.Max(value.Elapsed.TotalSeconds, 0.001);
            var text = $"{value.Phase} {value.PartitionsDone}/{value.PartitionsTotal} parts, {value.Rows:N0} rows, {value.Bytes / 1e6 / seconds:N0} MB/s";
            if (value.Paused)
                return $"{text}, paused: {value.PauseReason}";
            if (value.Phase == "done")
                return text;
            var left = value.Remaining is { } remaining ? $", {remaining:hh\\:mm\\:ss} left" : "";
            return $"{text}, {value.ActiveWorkers} at work{left}";
        }
    }
}
