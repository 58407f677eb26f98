using Npgsql;

namespace PgPool.Migration.Catalogs;

/// <summary>What only trying tells: each in a savepoint, so that the transaction survives a failure and nothing of it stays.</summary>
internal static class Attempts
{
    /// <summary>Whether the caller's condition is one, in the session's own search_path unless the table's values need another.</summary>
    public static async Task ConditionAsync(
        ConnectionLease lease, string side, TableCopy copy, TableName table, ValueSettings settings, Problems problems, CancellationToken cancellationToken)
    {
        // On lines of its own: it may end in a comment. It may use the table's name, and is of the source on both sides.
        var failure = await TryAsync(
            lease, $"{settings.ForReading}SELECT FROM ONLY {table} AS {Sql.Name(copy.Source.Name)} WHERE (\n{copy.Where}\n) LIMIT 0", static _ => null, cancellationToken).ConfigureAwait(false);
        if (failure is not null)
        {
            problems.Add(copy.Source, $"the {side} does not understand the condition ({failure})",
                $"correct {nameof(TableCopy)}.{nameof(TableCopy.Where)}"
                + (settings.HasFullNames ? ", and qualify its names: columns of the reg… types are read with search_path = pg_catalog" : ""));
        }
    }

    public static async Task PauseAsync(ConnectionLease target, string sql, Problems problems, CancellationToken cancellationToken)
    {
        const string Property = $"{nameof(MigrationOptions)}.{nameof(MigrationOptions.PauseWhile)}";
        var failure = await TryAsync(
            target, sql,
            static reader => reader.FieldCount > 0 && reader.GetFieldType(0) == typeof(bool)
                ? null
                : reader.FieldCount == 0 ? "it returns nothing" : $"it returns {reader.GetDataTypeName(0)}",
            cancellationToken, readOnly: true).ConfigureAwait(false);
        if (failure is not null)
            problems.Add($"{Property} does not work on the target ({failure})", "give SQL that returns a boolean");
    }

    public static async Task ReplicaRoleAsync(ConnectionLease target, ServerFacts facts, Problems problems, CancellationToken cancellationToken)
    {
        var failure = await TryAsync(target, "SET LOCAL session_replication_role = replica", static _ => null, cancellationToken).ConfigureAwait(false);
        if (failure is not null)
        {
            problems.Add($"role {Sql.Name(facts.Role)} may not suppress the target's triggers ({failure})",
                facts.Version >= 15
                    ? $"GRANT SET ON PARAMETER session_replication_role TO {Sql.Name(facts.Role)}, or leave {nameof(MigrationOptions.DisableTriggers)} off"
                    : $"use a superuser, or leave {nameof(MigrationOptions.DisableTriggers)} off");
        }
    }

    /// <returns>What PostgreSQL said, or <paramref name="judge"/>; null: it went well.</returns>
    private static async Task<string?> TryAsync(
        ConnectionLease lease, string sql, Func<NpgsqlDataReader, string?> judge, CancellationToken cancellationToken, bool readOnly = false)
    {
        await lease.ExecuteAsync($"SAVEPOINT pgpool_attempt{(readOnly ? "; SET LOCAL transaction_read_only = on" : "")}", cancellationToken).ConfigureAwait(false);
        var failure = await RunAsync().ConfigureAwait(false);
        await lease.ExecuteAsync("ROLLBACK TO pgpool_attempt", cancellationToken).ConfigureAwait(false);
        return failure;

        async Task<string?> RunAsync()
        {
            var command = lease.Command(sql);
            await using (command.ConfigureAwait(false))
            {
                try
                {
                    var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                    await using (reader.ConfigureAwait(false))
                    {
                        var verdict = judge(reader);
                        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                        {
                        }

                        return verdict;
                    }
                }
                catch (PostgresException e) when (IsAboutTheStatement(e))
                {
                    return $"{e.SqlState}: {e.MessageText}";
                }
            }
        }
    }

    // What concerns the session, the server or its state at the moment is no fault of the statement.
    private static bool IsAboutTheStatement(PostgresException e) => e.SqlState[..2] is not ("08" or "40" or "53" or "55" or "57" or "58" or "XX");
}
