using System.Data;
using System.Text.RegularExpressions;
using Npgsql;

namespace PgPool.Migration.Snapshots;

/// <summary>The transaction that holds a snapshot, as it is told to the server.</summary>
internal static partial class SnapshotTransaction
{
    // Longer than what a lock is waited for, and no hang where the server is silent or a pooler between has no more connections to give.
    private const int PatienceSeconds = 60;

    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(1);

    // https://www.postgresql.org/docs/current/sql-set-transaction.html: the identifier must be a literal.
    [GeneratedRegex("^[0-9A-F]{8}-[0-9A-F]{8}-[0-9]+\\z")]
    private static partial Regex IdFormat { get; }

    /// <summary>Begins a transaction in a new snapshot, or in one that another exported, and exports it. One round trip.</summary>
    /// <remarks>
    /// The import comes before anything that could take a snapshot, the export before the savepoint: neither is allowed later. The settings of the
    /// transaction come before the savepoint too, so that they outlive it.
    /// </remarks>
    public static async Task<ExportedSnapshot> BeginAsync(
        ConnectionLease lease, string? importId, string? lockSql, CancellationToken cancellationToken)
    {
        var import = importId is null ? "" : $"SET TRANSACTION SNAPSHOT '{importId}';";
        var command = lease.Command($"""
            BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
            {import}
            {SessionSettings.ForReading(lease)}
            {(lockSql is null ? "" : lockSql.TrimEnd().TrimEnd(';') + ";")}
            SELECT pg_export_snapshot(), {ContentsFunction(lease)}::text;
            SAVEPOINT pgpool_snapshot
            """);
        await using (command.ConfigureAwait(false))
        {
            // Each lock has a timeout of its own, and there may be many.
            if (lockSql is null)
                command.CommandTimeout = PatienceSeconds;
            var rows = await command.QueryAsync(
                reader => new ExportedSnapshot(reader.GetString(0), reader.GetString(1)), cancellationToken).ConfigureAwait(false);
            return rows[0];
        }
    }

    /// <summary>As <see cref="BeginAsync"/>, or null where the identifier does not, or not any more, stand for the snapshot that is meant.</summary>
    /// <param name="lease">Not in a transaction; nor afterwards, if the result is null.</param>
    /// <param name="importId">What another transaction exported, or is said to have.</param>
    /// <param name="contents">What the snapshot must be; null if that is not known.</param>
    /// <param name="lockSql">See <see cref="SnapshotPlan.Lock"/>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async Task<ExportedSnapshot?> TryImportAsync(
        ConnectionLease lease, string importId, string? contents, string? lockSql, CancellationToken cancellationToken)
    {
        if (!IdFormat.IsMatch(importId))
            return null;
        try
        {
            var exported = await BeginAsync(lease, importId, lockSql, cancellationToken).ConfigureAwait(false);
            if (contents is null || exported.Contents == contents)
                return exported;
        }
        catch (PostgresException exception) when (MeansThatItsTransactionIsOver(exception))
        {
        }

        await lease.ExecuteAsync("ROLLBACK", cancellationToken).ConfigureAwait(false);
        return null;
    }

    /// <summary>
    /// Back to the beginning of the transaction, out of a failure too. An error if that transaction was ended: its savepoint then is gone, also if
    /// another was begun.
    /// </summary>
    public static async Task EnterAsync(ConnectionLease lease, CancellationToken cancellationToken)
    {
        var command = lease.Command("ROLLBACK TO SAVEPOINT pgpool_snapshot");
        await using (command.ConfigureAwait(false))
        {
            command.CommandTimeout = PatienceSeconds;
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the transaction if that is done in a moment, and returns the lease. Never fails: the pool closes what comes back in use.</summary>
    public static async Task EndAsync(ConnectionLease lease)
    {
        if (StateOf(lease) == ConnectionState.Open)
        {
            Task rollback = lease.ExecuteAsync("ROLLBACK", CancellationToken.None);
            await rollback.WaitAsync(EndLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Observed, should it fail later.
            _ = rollback.ContinueWith(static task => task.Exception, TaskScheduler.Default);
        }

        await lease.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Whether the lease's connection is gone, or the lease itself.</summary>
    public static bool IsBroken(ConnectionLease lease) => (StateOf(lease) & ConnectionState.Open) == 0;

    private static ConnectionState StateOf(ConnectionLease lease)
    {
        try
        {
            return lease.Connection.FullState;
        }
        // Whoever uses it has returned it.
        catch (ObjectDisposedException)
        {
            return ConnectionState.Closed;
        }
    }

    // PostgreSQL 17 on: undefined object; before: invalid parameter value. In between, as it ends: not in prerequisite state.
    private static bool MeansThatItsTransactionIsOver(PostgresException exception) => exception.SqlState
        is PostgresErrorCodes.InvalidParameterValue or PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.ObjectNotInPrerequisiteState;

    private static string ContentsFunction(ConnectionLease lease) =>
        lease.Connection.PostgreSqlVersion.Major >= 13 ? "pg_current_snapshot()" : "txid_current_snapshot()";
}
