using PgPool.Migration.Catalogs;
using PgPool.Migration.Diagnostics;

namespace PgPool.Migration.Running;

/// <summary>The end of a call: its last progress and its report.</summary>
internal static class RunReport
{
    public static async Task<MigrationReport> MakeAsync(
        RunState run, IReadOnlyList<TablePlan> plans, int doneBefore, IProgress<MigrationProgress>? progress, CancellationToken cancellationToken)
    {
        var isOneInstant = await CloseAsync(run, cancellationToken).ConfigureAwait(false);
        run.Meter.End();
        progress?.Report(run.Meter.Read(paused: false));

        IReadOnlyList<TableReport> tables = [.. plans.Select(plan => run.Tallies[plan.Source].Report())];
        var report = new MigrationReport
        {
            Tables = tables,
            Rows = tables.Sum(table => table.Rows),
            Bytes = tables.Sum(table => table.Bytes),
            RejectedRows = run.Tallies.Values.Sum(tally => tally.Rejected),
            Retries = run.Ledger.Retries,
            PartitionsSkipped = doneBefore,
            Elapsed = run.Meter.Elapsed,
            Consistency = isOneInstant || run.Options.SourceIsFrozen ? Consistency.Snapshot : Consistency.PerPartition,
        };
        MigrationLog.Ended(run.Log, run.RunId, report.Rows, report.Bytes, report.Retries);
        return report;
    }

    private static Task<bool> CloseAsync(RunState run, CancellationToken cancellationToken) => run.OnTargetAsync("its end", async target =>
    {
        await run.Store.ForgetSnapshotAsync(target, cancellationToken).ConfigureAwait(false);
        run.Meter.Count(await run.Store.CountAsync(target, cancellationToken).ConfigureAwait(false));
        return await run.Store.IsOneEpochAsync(target, cancellationToken).ConfigureAwait(false);
    }, cancellationToken);
}
