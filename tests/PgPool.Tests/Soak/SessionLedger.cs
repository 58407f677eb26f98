using System.Collections.Concurrent;
using Npgsql;

namespace PgPool.Tests.Soak;

/// <summary>Who is on which session, and whether a session is as PostgreSQL starts one.</summary>
internal sealed class SessionLedger(SoakReport report, string[] defaults)
{
    // The transactions that are left open have written; in a failed one the query fails. The unnamed cursor is the query itself.
    private const string Look =
        """
        SELECT concat_ws(', ',
          CASE WHEN txid_current_if_assigned() IS NOT NULL THEN 'an open transaction' END,
          (SELECT 'temporary table ' || min(relname) FROM pg_class WHERE relnamespace = pg_my_temp_schema() HAVING count(*) > 0),
          (SELECT count(*) || ' advisory locks' FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() HAVING count(*) > 0),
          (SELECT 'listens to ' || min(channel) FROM pg_listening_channels() AS channel HAVING count(*) > 0),
          (SELECT 'cursor ' || min(name) FROM pg_cursors WHERE name <> '' HAVING count(*) > 0),
          (SELECT 'set: ' || string_agg(name, ' ') FROM unnest($2::text[], $3::text[]) AS setting (name, value)
           WHERE current_setting(name) <> value HAVING count(*) > 0),
          CASE WHEN current_user <> session_user THEN 'role ' || current_user END,
          CASE WHEN pg_backend_pid() <> $1 THEN 'process ' || pg_backend_pid() END)
        """;

    // By connection, not by process id: those come back after a restart of the server, while somebody holds what is left of the old one.
    private readonly ConcurrentDictionary<NpgsqlConnection, long> _renters = new(ReferenceEqualityComparer.Instance);

    /// <summary>To be left before the lease is returned or dropped.</summary>
    public void Enter(ConnectionLease lease)
    {
        if (!_renters.TryAdd(lease.Connection, lease.Id))
            report.Finding($"session {lease.BackendProcessId} is lent to two at once: leases {lease.Id} and {_renters.GetValueOrDefault(lease.Connection)}");
    }

    public void Leave(ConnectionLease lease) => _renters.TryRemove(lease.Connection, out _);

    /// <summary>Finds what a renter before has left on the session.</summary>
    public async ValueTask CheckCleanAsync(ConnectionLease lease, bool async)
    {
        await using var command = lease.CreateCommand(Look);
        command.Parameters.Add(new() { Value = lease.BackendProcessId });
        command.Parameters.Add(new() { Value = Deeds.Settings });
        command.Parameters.Add(new() { Value = defaults });
        var left = (string?)(async ? await command.ExecuteScalarAsync() : command.ExecuteScalar());
        if (left is not "")
            report.Finding($"lease {lease.Id} found on session {lease.BackendProcessId}: {left}");
    }
}
