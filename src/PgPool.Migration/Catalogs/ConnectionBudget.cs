namespace PgPool.Migration.Catalogs;

/// <summary>Whether the servers let a run have the connections that it needs: found out before they are missing in the middle of it.</summary>
internal sealed record ConnectionBudget
{
    private const string Hint = $"lower {nameof(MigrationOptions)}.{nameof(MigrationOptions.Degree)} or the pool's MaxSize, or ";

    public required ServerFacts Facts { get; init; }

    /// <summary>Connections that the role may take of the server's, reserved ones not counted, whether taken or not.</summary>
    public required long Usable { get; init; }

    public required long MaxConnections { get; init; }

    public required long Used { get; init; }

    /// <summary>The database's limit; null: none.</summary>
    public required long? DatabaseLimit { get; init; }

    public required long UsedInDatabase { get; init; }

    /// <summary>The role that the session logged in as.</summary>
    public required string Role { get; init; }

    /// <summary>The role's limit; null: none.</summary>
    public required long? RoleLimit { get; init; }

    public required long UsedByRole { get; init; }

    // Who may not see what others' sessions are sees at least that they are in a database and somebody's. Limits are not for superusers.
    private static string Query(int version) => $"""
        WITH me AS (
            SELECT r.oid, r.rolname, r.rolsuper, NULLIF(r.rolconnlimit, -1) AS role_limit, d.oid AS database, NULLIF(d.datconnlimit, -1) AS database_limit
            FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
            WHERE r.rolname = session_user AND d.datname = pg_catalog.current_database()),
        sessions AS (
            SELECT datid, usesysid FROM pg_catalog.pg_stat_activity
            WHERE backend_type = 'client backend' OR (backend_type IS NULL AND datid IS NOT NULL AND usesysid IS NOT NULL))
        SELECT pg_catalog.current_setting('max_connections')::int8,
               pg_catalog.current_setting('max_connections')::int8
               - CASE WHEN me.rolsuper THEN 0 ELSE pg_catalog.current_setting('superuser_reserved_connections')::int8 END
               - {(version >= 16
                   ? "CASE WHEN me.rolsuper OR pg_catalog.pg_has_role(me.oid, 'pg_use_reserved_connections', 'USAGE') THEN 0 "
                       + "ELSE pg_catalog.current_setting('reserved_connections')::int8 END"
                   : "0")},
               (SELECT count(*) FROM sessions),
               CASE WHEN me.rolsuper THEN NULL ELSE me.database_limit::int8 END,
               (SELECT count(*) FROM sessions WHERE datid = me.database),
               CASE WHEN me.rolsuper THEN NULL ELSE me.role_limit::int8 END,
               (SELECT count(*) FROM sessions WHERE usesysid = me.oid),
               me.rolname::text
        FROM me
        """;

    public static async Task<ConnectionBudget> ReadAsync(ConnectionLease lease, ServerFacts facts, CancellationToken cancellationToken)
    {
        var command = lease.Command(Query(facts.Version));
        await using (command.ConfigureAwait(false))
        {
            var rows = await command.QueryAsync(
                row => new ConnectionBudget
                {
                    Facts = facts,
                    MaxConnections = row.GetInt64(0),
                    Usable = row.GetInt64(1),
                    Used = row.GetInt64(2),
                    DatabaseLimit = row.IsDBNull(3) ? null : row.GetInt64(3),
                    UsedInDatabase = row.GetInt64(4),
                    RoleLimit = row.IsDBNull(5) ? null : row.GetInt64(5),
                    UsedByRole = row.GetInt64(6),
                    Role = row.GetString(7),
                },
                cancellationToken).ConfigureAwait(false);
            return rows[0];
        }
    }

    /// <summary>Sides that share a server, a database or a role share what there is of it.</summary>
    public static void Check(IReadOnlyList<(ConnectionBudget Budget, ConnectionDemand Demand)> sides, Problems problems)
    {
        foreach (var group in sides.GroupBy(static side => side.Budget.Facts.Server))
        {
            var (budget, _) = group.MinBy(static side => side.Budget.Usable);
            Compare(group, budget.Usable, budget.Used, $"of the server's max_connections = {budget.MaxConnections}",
                budget.Usable < budget.MaxConnections ? $", {budget.MaxConnections - budget.Usable} of them reserved" : "", "raise max_connections", problems);
        }

        foreach (var group in sides.Where(static side => side.Budget.DatabaseLimit is not null)
            .GroupBy(static side => (side.Budget.Facts.Server, side.Budget.Facts.DatabaseOid)))
        {
            var (budget, _) = group.First();
            Compare(group, budget.DatabaseLimit!.Value, budget.UsedInDatabase, $"of database {Sql.Name(budget.Facts.Database)}'s CONNECTION LIMIT {budget.DatabaseLimit}",
                "", "raise it by ALTER DATABASE", problems);
        }

        foreach (var group in sides.Where(static side => side.Budget.RoleLimit is not null).GroupBy(static side => (side.Budget.Facts.Server, side.Budget.Role)))
        {
            var (budget, _) = group.First();
            Compare(group, budget.RoleLimit!.Value, budget.UsedByRole, $"of role {Sql.Name(budget.Role)}'s CONNECTION LIMIT {budget.RoleLimit}",
                "", "raise it by ALTER ROLE", problems);
        }
    }

    private static void Compare(
        IEnumerable<(ConnectionBudget Budget, ConnectionDemand Demand)> sides, long usable, long used, string limit, string reserved, string cure, Problems problems)
    {
        var demands = sides.Select(static side => side.Demand).ToList();
        var others = Math.Max(0, used - demands.Sum(static demand => demand.Open));
        var needed = demands.Sum(static demand => demand.Needed);
        var free = Math.Max(0, usable - others);
        if (needed <= free)
            return;
        var pools = demands.Select(static demand => demand.Pool).Distinct().ToList();
        problems.Add(
            $"the run needs {needed} connections by {(pools.Count == 1 ? "pool" : "pools")} {string.Join(" and ", pools.Select(static pool => $"\"{pool}\""))}, "
            + $"and {free} are free {limit} ({others} used by others{reserved})",
            Hint + cure);
    }
}
