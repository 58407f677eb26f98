using System.Data;
using System.Text.Json;
using Npgsql;
using PgPool.Migration.Running;

namespace PgPool.Migration.Updating;

/// <summary>Whether the caller's statement can be run range by range: has the server plan it, which changes nothing.</summary>
internal static class UpdateChecks
{
    private const string Target = """
        SELECT pg_catalog.to_regclass($1)::pg_catalog.oid = (
            SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $2 AND c.relname = $3)
        """;

    /// <exception cref="MigrationException">It cannot.</exception>
    public static async Task RunAsync(
        ConnectionLease target, UpdatePlan plan, UpdateStatement statement, MigrationOptions options, CancellationToken cancellationToken)
    {
        var table = plan.Table.Source;
        var transaction = await target.Connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            try
            {
                await target.ExecuteAsync(SessionSettings.ForWriting(target), cancellationToken).ConfigureAwait(false);
                if (options.DisableTriggers)
                    await target.ExecuteAsync("SET LOCAL session_replication_role = replica", cancellationToken).ConfigureAwait(false);
                await CheckShapeAsync(target, table, statement, cancellationToken).ConfigureAwait(false);
                CheckKey(plan, statement);
                await ExplainAsync(target, plan.Statement, parameters: 4, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException e) when (e.SqlState[..2] is "42" or "22" or "0A")
            {
                throw new MigrationException($"The statement for {table} cannot run: {e.MessageText} ({e.SqlState}). {Failures.Cure(e)}".TrimEnd(), e) { Table = table };
            }
        }
    }

    private static async Task CheckShapeAsync(ConnectionLease target, TableName table, UpdateStatement statement, CancellationToken cancellationToken)
    {
        var explained = await ExplainAsync(target, statement.Plain, parameters: 2, cancellationToken).ConfigureAwait(false);
        if (statement.Target is null)
            throw Refused("is no UPDATE or DELETE");

        // Where a condition is false of NULL, some versions plan nothing at all.
        var (changes, isOutermost) = CountChanges(explained);
        if (changes > 1 || (changes == 1 && !isOutermost))
            throw Refused("changes rows in a WITH query too, or by a rule: each range would do all of that again. Change those in a run of their own");
        if (statement.HasPlainBackslash && await target.ScalarAsync<string>("SHOW standard_conforming_strings", cancellationToken).ConfigureAwait(false) != "on")
            throw Refused("has a backslash in a string, and standard_conforming_strings is off: write the string as E'…'");
        var command = target.Command(Target, statement.Target, table.Schema, table.Name);
        await using (command.ConfigureAwait(false))
        {
            if (!await command.ScalarAsync<bool>(cancellationToken).ConfigureAwait(false))
                throw Refused($"changes {statement.Target}: call it for that table, whose key the ranges are then of");
        }

        MigrationException Refused(string what) => new($"The statement for {table} {what}. It is: {statement.Sql}") { Table = table };
    }

    private static void CheckKey(UpdatePlan plan, UpdateStatement statement)
    {
        var key = plan.Table.Relations[0].Key!.Name;
        if (!statement.Assigned.Contains(key))
            return;
        throw new MigrationException(
            $"The statement for {plan.Table.Source} assigns to {Sql.Name(key)}, by which the table is cut into ranges: a row that moves on would be met again. "
            + $"Run it in one piece, or copy the rows into another table with {nameof(MigrationRun)}.{nameof(MigrationRun.TransformAsync)}.")
        {
            Table = plan.Table.Source,
        };
    }

    private static async Task<string> ExplainAsync(ConnectionLease target, string sql, int parameters, CancellationToken cancellationToken)
    {
        var command = target.Command($"EXPLAIN (FORMAT JSON, COSTS OFF) {sql}", new object?[parameters]);
        await using (command.ConfigureAwait(false))
            return await command.ScalarAsync<string>(cancellationToken).ConfigureAwait(false) ?? "[]";
    }

    private static (int Changes, bool IsOutermost) CountChanges(string explained)
    {
        using var plans = JsonDocument.Parse(explained);
        var isOutermost = plans.RootElement.GetArrayLength() == 1
            && plans.RootElement[0].TryGetProperty("Plan", out var plan) && IsChange(plan);
        return (Count(plans.RootElement), isOutermost);

        static int Count(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Array => element.EnumerateArray().Sum(Count),
            JsonValueKind.Object => (IsChange(element) ? 1 : 0) + element.EnumerateObject().Sum(static member => Count(member.Value)),
            _ => 0,
        };

        static bool IsChange(JsonElement plan) => plan.TryGetProperty("Node Type", out var type) && type.GetString() == "ModifyTable";
    }
}
