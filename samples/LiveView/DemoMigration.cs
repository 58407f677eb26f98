using System.Globalization;
using CopyDatabase;
using PgPool;
using PgPool.Migration;

namespace LiveView;

/// <summary>Fills the source, and copies it to the target: once, and again whenever it is asked to.</summary>
internal sealed partial class DemoMigration(
    [FromKeyedServices("source")] ConnectionPool source, [FromKeyedServices("target")] ConnectionPool target, IConfiguration configuration,
    ILogger<DemoMigration> logger) : BackgroundService, IProgress<MigrationProgress>
{
    private readonly SemaphoreSlim _wanted = new(1, 1);
    private volatile CopyView _view = new("starting", IsRunning: true, null);
    private bool _isRunning = true;

    public CopyView Look() => _view;

    /// <summary>Copies once more, when it is done.</summary>
    public bool TryStart()
    {
        if (Interlocked.Exchange(ref _isRunning, true))
            return false;
        _view = new("starting", IsRunning: true, null);
        _wanted.Release();
        return true;
    }

    public void Report(MigrationProgress value) => _view = new(value.Phase, IsRunning: true, value);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isFilled = false;
        while (true)
        {
            await _wanted.WaitAsync(stoppingToken);
            try
            {
                if (!isFilled)
                    await FillAsync(stoppingToken);
                isFilled = true;
                await CopyAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                Failed(logger, exception);
                End($"failed: {exception.Message}");
            }
        }
    }

    private async Task FillAsync(CancellationToken cancellationToken)
    {
        // An earlier start, or an attempt that failed, has made them.
        if ((await MigrationRun.DiscoverAsync(source, cancellationToken: cancellationToken)).Count > 0)
            return;
        _view = new("filling the source", IsRunning: true, null);
        await DemoDatabase.CreateSchemaAsync(source, cancellationToken);
        await DemoDatabase.CreateSchemaAsync(target, cancellationToken);
        await DemoDatabase.FillAsync(source, cancellationToken);
    }

    private async Task CopyAsync(CancellationToken cancellationToken)
    {
        var run = new MigrationRun(DateTime.UtcNow.ToString("O", CultureInfo.InvariantCulture), source, target, new MigrationOptions
        {
            Degree = 3,
            PartitionBytes = 4 << 20,
            // Slow enough to be watched.
            MaxBytesPerSecond = configuration.GetValue("BytesPerSecond", 15_000_000L),
            DisableTriggers = true,
        });
        var found = await MigrationRun.DiscoverAsync(source, cancellationToken: cancellationToken);
        var tables = found.Select(static table => table with { Mode = TargetMode.Truncate }).ToArray();
        await run.CopyAsync(tables, this, cancellationToken);
        var verified = await run.VerifyAsync(tables, VerificationMode.Checksum, cancellationToken);
        End(verified.Matches ? "done, and both databases are the same" : "done, but the databases DIFFER");
    }

    // Shown first: what the next one shows must not be written over.
    private void End(string state)
    {
        _view = _view with { State = state, IsRunning = false };
        Volatile.Write(ref _isRunning, false);
    }

    [LoggerMessage(LogLevel.Error, "The demonstration failed")]
    private static partial void Failed(ILogger logger, Exception exception);
}
