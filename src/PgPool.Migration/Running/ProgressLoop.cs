namespace PgPool.Migration.Running;

/// <summary>Tells the caller's progress a few times a second while the workers work, never twice at once.</summary>
internal sealed class ProgressLoop(IProgress<MigrationProgress>? progress, RunState run)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>Returns when the work has ended well; otherwise throws what stopped the run.</summary>
    public async Task TellWhileAsync(Func<Task> work)
    {
        using var ended = new CancellationTokenSource();
        var telling = TellAsync(ended.Token);
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (run.Stop.IsCancellationRequested)
        {
            // Why it was stopped is thrown below.
        }
        catch (Exception e)
        {
            run.Fail(e);
        }

        await ended.CancelAsync().ConfigureAwait(false);
        await telling.ConfigureAwait(false);
        run.ThrowIfStopped();
    }

    private async Task TellAsync(CancellationToken ended)
    {
        if (progress is null)
            return;
        using var timer = new PeriodicTimer(Interval, run.Options.TimeProvider);
        try
        {
            do
            {
                progress.Report(run.Meter.Read(run.Pause.IsPaused));
            }
            while (await timer.WaitForNextTickAsync(ended).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The last report is made when all is counted.
        }
        catch (Exception e)
        {
            // The caller's own code has thrown.
            run.Fail(e);
        }
    }
}
