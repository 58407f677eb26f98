using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PgPool.Migration.Checkpoints;
using PgPool.Migration.Running;

namespace PgPool.Migration;

/// <summary>One resumable run. Running again with the same id continues where it stopped: partitions that are done are not copied twice.</summary>
/// <remarks>
/// Progress is kept in the target database, schema pgpool_migration, in the transactions that carry the data. Several processes may run the same id at
/// once: they share the partitions, and the first one's snapshot while a process that holds it lives. Source and target may be one pool. Leases are
/// rented in one order for all pools, so that runs over the same pools in opposite directions cannot deadlock. A finished run that is run again copies
/// nothing and reports every partition as skipped. The same id with another plan (tables, columns, conditions, schema) is refused, naming the
/// difference; a refused call leaves nothing behind. Reports count what this call did, exactly, whatever was retried. Cancelling throws
/// <see cref="OperationCanceledException"/> within two seconds, with no backend left running, waiting or in a transaction.
/// </remarks>
/// <example><code>
/// var run = new MigrationRun("move-2026", source, target);
/// var tables = await MigrationRun.DiscoverAsync(source);
/// var report = await run.CopyAsync(tables);
/// await run.SynchronizeSequencesAsync(tables);
/// var verified = await run.VerifyAsync(tables);
/// </code></example>
public sealed partial class MigrationRun
{
    private readonly string _id;
    private readonly ConnectionPool _source;
    private readonly ConnectionPool _target;
    private readonly MigrationOptions _options;
    private readonly ILogger _log;

    /// <summary>Makes a run; nothing is read or written before one of its methods is called.</summary>
    /// <param name="id">What the run is known by in the target database. Not blank.</param>
    /// <param name="source">Where rows are read.</param>
    /// <param name="target">Where rows are written; may be the source's pool.</param>
    /// <param name="options">How it behaves; the defaults without.</param>
    /// <exception cref="ArgumentException">The id is blank, or an option is out of its range.</exception>
    public MigrationRun(string id, ConnectionPool source, ConnectionPool target, MigrationOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        _options = options ?? new MigrationOptions();
        _options.Validate();
        _id = id;
        _source = source;
        _target = target;
        _log = _options.LoggerFactory?.CreateLogger("PgPool.Migration") ?? NullLogger.Instance;
    }

    /// <summary>Whether the target database knows a run of this id: whether a call would go on with one, or join it, rather than begin.</summary>
    /// <param name="cancellationToken">Ends the look.</param>
    /// <exception cref="MigrationException">The target could not be read.</exception>
    public Task<bool> HasBegunAsync(CancellationToken cancellationToken = default) => Guarded.RunAsync(async () =>
    {
        var lease = await _target.RentAsync(new RentOptions { Label = $"look for {_id}" }, cancellationToken).ConfigureAwait(false);
        await using (lease.ConfigureAwait(false))
            return await new RunStore(_id).ExistsAsync(lease, cancellationToken).ConfigureAwait(false);
    }, cancellationToken);
}
