using System.Collections.Frozen;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Checkpoints;
using PgPool.Migration.Diagnostics;

namespace PgPool.Migration.Running;

/// <summary>What the workers of one call share.</summary>
internal sealed class RunState : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop;
    private readonly CancellationToken _caller;
    private int _workers;
    private Exception? _failure;

    public RunState(
        string runId, MigrationOptions options, IReadOnlyList<TablePlan> tables, TargetLeases targets, ProgressMeter meter, ILogger log, int workers,
        CancellationToken cancellationToken)
    {
        RunId = runId;
        Options = options;
        Targets = targets;
        Meter = meter;
        Log = log;
        Tables = tables.ToFrozenDictionary(table => table.Source.ToString());
        Tallies = tables.ToFrozenDictionary(table => table.Source, table => new TableTally(table, options.TimeProvider));
        Ledger = new RetryLedger(options.MaxAttempts, options.TimeProvider);
        Throttle = new ByteThrottle(options.MaxBytesPerSecond, options.TimeProvider);
        Pause = new PauseGate(options.PauseWhile, options.TimeProvider);
        Signal = new WorkSignal(options.TimeProvider);
        Store = new RunStore(runId);
        _workers = workers;
        _caller = cancellationToken;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    public string RunId { get; }

    public MigrationOptions Options { get; }

    public TargetLeases Targets { get; }

    public ProgressMeter Meter { get; }

    public ILogger Log { get; }

    /// <summary>The tables by the source's name as the store has it.</summary>
    public FrozenDictionary<string, TablePlan> Tables { get; private set; }

    public FrozenDictionary<TableName, TableTally> Tallies { get; }

    public RetryLedger Ledger { get; }

    public ByteThrottle Throttle { get; }

    public PauseGate Pause { get; }

    public WorkSignal Signal { get; }

    public RunStore Store { get; }

    /// <summary>Whose leases the workers read on; null for a run on the target alone.</summary>
    public SnapshotGroup? Snapshot { get; set; }

    /// <summary>The number of the snapshot that is read.</summary>
    public int Epoch { get; set; } = 1;

    /// <summary>Cancelled by the caller, or when a worker has failed for good.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Does on a lease of the target what bears repetition, as often as it takes within the attempts allowed.</summary>
    /// <param name="what">For the log.</param>
    /// <param name="work">What to do.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<T> OnTargetAsync<T>(string what, Func<ConnectionLease, Task<T>> work, CancellationToken cancellationToken)
    {
        var key = Ledger.NewKey();
        while (true)
        {
            try
            {
                return await Targets.UseAsync(work, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (Failures.Classify(e) is var kind and not (FailureKind.Fatal or FailureKind.BadRow)
                && !cancellationToken.IsCancellationRequested && Ledger.TryAgain(key, kind, out var delay))
            {
                MigrationLog.Retried(Log, RunId, what, delay, e);
                await Task.Delay(delay, Options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Before the workers begin: the tables' plans as they are stored by now.</summary>
    public void Replan(IEnumerable<TablePlan> tables) => Tables = tables.ToFrozenDictionary(static table => table.Source.ToString());

    /// <summary>Stops all workers; the first failure is the one that is told.</summary>
    public void Fail(Exception exception)
    {
        lock (_lock)
            _failure ??= exception;
        Halt();
    }

    /// <summary>Stops all workers; why is told by who calls.</summary>
    /// <remarks>Not on this thread: Npgsql's cancel of a running command waits for the server.</remarks>
    public void Halt() => _ = _stop.CancelAsync();

    /// <summary>Whether a worker may leave for good: the last one may not.</summary>
    public bool TryLeave()
    {
        lock (_lock)
        {
            if (_workers <= 1)
                return false;
            _workers--;
            return true;
        }
    }

    /// <summary>Throws what stopped the run, if anything did.</summary>
    public void ThrowIfStopped()
    {
        // A failure that came of the cancelling is not news.
        _caller.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (_failure is not null)
                ExceptionDispatchInfo.Throw(_failure);
        }
    }

    public void Dispose()
    {
        Pause.Dispose();
        _stop.Dispose();
    }
}
