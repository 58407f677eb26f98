using Npgsql;
using PgPool;

namespace CopyDatabase;

/// <summary>What the copy needs to know of the target: looked up, and refused if it does not fit, before a row is written.</summary>
internal sealed class TargetDatabase
{
    private const string LockTimeout = "SET lock_timeout = '30s'";
    private const string ForeignKeysOff = "SET session_replication_role = replica";

    private readonly Dictionary<string, Table> _tables;

    private TargetDatabase(Dictionary<string, Table> tables, IReadOnlyList<Table> sourceTables, bool mayTurnForeignKeysOff)
    {
        _tables = tables;
        SessionSettings = mayTurnForeignKeysOff ? $"{LockTimeout}; {ForeignKeysOff}" : LockTimeout;
        Waves = mayTurnForeignKeysOff ? [[.. sourceTables.SelectMany(table => table.Split())]] : InDependencyOrder(sourceTables);
    }

    /// <summary>
    /// For a worker's session. Such a SET outlives the transaction, and left behind in a pool it has the foreign keys and triggers of
    /// whoever comes next silently off. The pool's full reset takes it away when the lease is returned, whatever happened meanwhile.
    /// </summary>
    public string SessionSettings { get; }

    /// <summary>The parts to copy. Those of one wave go in any order; a wave needs the rows of those before it.</summary>
    public IReadOnlyList<IReadOnlyList<Part>> Waves { get; }

    public static async Task<TargetDatabase> PrepareAsync(
        ConnectionPool pool, IReadOnlyList<Table> sourceTables, bool truncate, CancellationToken cancellationToken)
    {
        await using var lease = await pool.RentAsync(new() { Label = "prepare" }, cancellationToken);
        var mayTurnForeignKeysOff = await MayTurnForeignKeysOffAsync(lease, cancellationToken);

        await using var transaction = await lease.Connection.BeginTransactionAsync(cancellationToken);
        var tables = (await Catalog.ReadTablesAsync(lease, cancellationToken)).ToDictionary(table => table.Name);
        Catalog.CheckFit(sourceTables, tables);
        var target = new TargetDatabase(tables, sourceTables, mayTurnForeignKeysOff);
        var names = string.Join(", ", sourceTables.Select(table => table.Name));
        if (truncate)
            await lease.ExecuteAsync($"{LockTimeout}; TRUNCATE {names}", cancellationToken);
        else
            await Catalog.CheckEmptyAsync(lease, sourceTables, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return target;
    }

    /// <summary>The columns to copy: not those that the target computes itself.</summary>
    public string WritableColumns(Table source)
    {
        var generated = _tables[source.Name].Columns.Where(column => column.IsGenerated).Select(column => column.Name);
        return string.Join(", ", source.Columns.Select(column => column.Name).Except(generated));
    }

    // As a replica, a session leaves foreign keys unchecked and triggers unfired: right for rows that passed both on the source, and all of
    // one snapshot. It takes a superuser, or from PostgreSQL 15 on a grant. Whether it is allowed, only trying tells in every version.
    private static async Task<bool> MayTurnForeignKeysOffAsync(ConnectionLease lease, CancellationToken cancellationToken)
    {
        try
        {
            await lease.ExecuteAsync(ForeignKeysOff, cancellationToken);
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return false;
        }
    }

    // Without that privilege, a table waits for those it refers to. One that refers to itself is not split: the keys are checked at the end
    // of each COPY.
    private List<IReadOnlyList<Part>> InDependencyOrder(IReadOnlyList<Table> sourceTables)
    {
        List<IReadOnlyList<Part>> waves = [];
        var left = sourceTables.ToDictionary(table => table.Name);
        while (left.Count > 0)
        {
            var ready = left.Values.Where(table => References(table).All(name => name == table.Name || !left.ContainsKey(name))).ToList();
            if (ready.Count == 0)
            {
                throw new CopyException(
                    $"The target's foreign keys form a circle among {string.Join(", ", left.Keys)}: "
                    + "copying these takes a role that may SET session_replication_role.");
            }

            waves.Add([.. ready.SelectMany(table => References(table).Contains(table.Name) ? [table.Whole()] : table.Split())]);
            ready.ForEach(table => left.Remove(table.Name));
        }

        return waves;

        IReadOnlyList<string> References(Table table) => _tables[table.Name].References;
    }
}
