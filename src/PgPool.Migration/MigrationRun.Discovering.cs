using System.Data;
using PgPool.Migration.Running;

namespace PgPool.Migration;

public sealed partial class MigrationRun
{
    // Sizes are those of whole trees of partitions; an inheritance child is a table of its own.
    private static string DiscoveryQuery(int version) => $"""
        WITH RECURSIVE tree (root, oid) AS (
            SELECT c.oid, c.oid
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
              AND CASE WHEN $1::text[] IS NULL THEN n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgpool_migration')
                       ELSE n.nspname::text = ANY ($1::text[]) END
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                              WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
            UNION ALL
            SELECT tree.root, i.inhrelid
            FROM tree
            JOIN pg_catalog.pg_class c ON c.oid = tree.oid AND c.relkind = 'p'
            JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid{(version >= 14 ? " AND NOT i.inhdetachpending" : "")})
        SELECT n.nspname::text, c.relname::text
        FROM (SELECT root, sum(coalesce(pg_catalog.pg_table_size(oid), 0)) AS bytes FROM tree GROUP BY root) sizes
        JOIN pg_catalog.pg_class c ON c.oid = sizes.root
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        ORDER BY sizes.bytes DESC, n.nspname, c.relname
        """;

    private const string UnknownSchemasQuery = """
        SELECT wanted.name FROM unnest($1::text[]) wanted (name)
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = wanted.name)
        """;

    /// <summary>
    /// The ordinary and partitioned tables of the given schemas, largest first. A partitioned table stands for its partitions; a table with
    /// inheritance children is itself only. Temporary tables and those that belong to an extension are left out.
    /// </summary>
    /// <param name="source">The database to look at.</param>
    /// <param name="schemas">Names as the catalog has them. Null, the default: all schemas but system ones and pgpool_migration.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="ArgumentException">A name is null or blank.</exception>
    /// <exception cref="MigrationException">There is no schema of a name, or the source could not be read.</exception>
    public static Task<IReadOnlyList<TableCopy>> DiscoverAsync(
        ConnectionPool source, IEnumerable<string>? schemas = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        var names = schemas?.ToArray();
        if (names is not null && names.Any(string.IsNullOrWhiteSpace))
            throw new ArgumentException("A schema's name is null or blank.", nameof(schemas));
        return Guarded.RunAsync(() => LookAsync(source, names, cancellationToken), cancellationToken);
    }

    private static async Task<IReadOnlyList<TableCopy>> LookAsync(ConnectionPool source, string[]? names, CancellationToken cancellationToken)
    {
        var lease = await source.RentAsync(new() { Label = "discover" }, cancellationToken).ConfigureAwait(false);
        await using (lease.ConfigureAwait(false))
        {
            var transaction = await lease.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                await lease.ExecuteAsync($"SET TRANSACTION READ ONLY; {SessionSettings.ForReading(lease)}", cancellationToken).ConfigureAwait(false);
                if (names is not null)
                    await CheckSchemasAsync(lease, names, cancellationToken).ConfigureAwait(false);
                return await FindTablesAsync(lease, names, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task CheckSchemasAsync(ConnectionLease lease, string[] names, CancellationToken cancellationToken)
    {
        var command = lease.Command(UnknownSchemasQuery, (object)names);
        await using (command.ConfigureAwait(false))
        {
            var unknown = await command.QueryAsync(static row => row.GetString(0), cancellationToken).ConfigureAwait(false);
            if (unknown.Count > 0)
            {
                throw new MigrationException(
                    $"{lease.Connection.Database} has no schema {Sql.Names(unknown)}: give the names as the catalog has them, case-sensitive and not quoted.");
            }
        }
    }

    private static async Task<IReadOnlyList<TableCopy>> FindTablesAsync(ConnectionLease lease, string[]? names, CancellationToken cancellationToken)
    {
        var command = lease.Command(DiscoveryQuery(lease.Connection.PostgreSqlVersion.Major), (object?)names);
        await using (command.ConfigureAwait(false))
        {
            return await command.QueryAsync(
                static row => new TableCopy(new TableName(row.GetString(0), row.GetString(1))), cancellationToken).ConfigureAwait(false);
        }
    }
}
