using System.Data;
using Npgsql;
using PgPool;

namespace CopyDatabase;

/// <summary>One instant of the source, in which all workers read: a lease's transaction that stays open exports its snapshot.</summary>
internal sealed class SourceSnapshot : IAsyncDisposable
{
    // A policy that hides rows from this role is an error rather than a smaller copy. A lock nobody releases must not hang a worker for
    // ever, and the holder idles in its transaction for as long as the copy takes.
    private const string Settings = """
        SET LOCAL row_security = off; SET LOCAL lock_timeout = '30s';
        SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0
        """;

    private readonly ConnectionLease _holder;
    private readonly NpgsqlTransaction _transaction;
    private readonly string _id;

    private SourceSnapshot(ConnectionLease holder, NpgsqlTransaction transaction, string id, IReadOnlyList<Table> tables) =>
        (_holder, _transaction, _id, Tables) = (holder, transaction, id, tables);

    public IReadOnlyList<Table> Tables { get; }

    public static async Task<SourceSnapshot> TakeAsync(ConnectionPool source, CancellationToken cancellationToken)
    {
        var holder = await source.RentAsync(new() { Label = "snapshot" }, cancellationToken);
        try
        {
            var transaction = await holder.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
            var export = $"SET TRANSACTION READ ONLY; {Settings}; SELECT pg_export_snapshot()";
            var id = await holder.QueryScalarAsync<string>(export, cancellationToken);
            var tables = await Catalog.ReadTablesAsync(holder, cancellationToken);
            if (tables.Count == 0)
                throw new CopyException("The source has no tables.");

            // Keeps others from rewriting a table, which would move its rows to other ctids, and keeps this program from truncating its own
            // source when both connection strings mean the same database.
            var names = string.Join(", ", tables.Select(table => $"ONLY {table.Name}"));
            await holder.ExecuteAsync($"LOCK TABLE {names} IN ACCESS SHARE MODE", cancellationToken);
            return new SourceSnapshot(holder, transaction, id, tables);
        }
        catch
        {
            await holder.DisposeAsync();
            throw;
        }
    }

    /// <summary>Begins a transaction on the lease that sees what the snapshot sees. It need not be committed.</summary>
    public async Task<NpgsqlTransaction> BeginAsync(ConnectionLease lease, CancellationToken cancellationToken)
    {
        var transaction = await lease.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await lease.ExecuteAsync($"SET TRANSACTION READ ONLY; SET TRANSACTION SNAPSHOT '{_id}'; {Settings}", cancellationToken);
        return transaction;
    }

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _holder.DisposeAsync();
    }
}
