using Npgsql;
using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Sequences;

/// <summary>Sets sequences past the values that are in their columns, and to where the source's stand.</summary>
internal static class SequenceSynchronization
{
    // A policy that hides the furthest value is an error rather than a sequence that gives it again.
    private const string AllRows = "SET LOCAL row_security = off;";
    private const string Unsettable = "may not be read or set";
    private const string Settable = "GRANT SELECT, UPDATE on the sequence, and USAGE on its schema";

    /// <param name="lease">A lease on the target, in no transaction.</param>
    /// <param name="tables">Source and target of each table.</param>
    /// <param name="source">Where the source's sequences stand.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task RunAsync(
        ConnectionLease lease, IReadOnlyList<(TableName Source, TableName Target)> tables, IReadOnlyList<StandingSequence> source,
        CancellationToken cancellationToken)
    {
        var transaction = await lease.Connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            TableName[] targets = [.. tables.Select(static table => table.Target).Distinct()];
            var positions = await FindPositionsAsync(lease, targets, cancellationToken).ConfigureAwait(false);
            var here = await SequenceCatalog.FindPositionsAsync(lease, targets, cancellationToken).ConfigureAwait(false);
            foreach (var (sequence, value, ascends) in SourcePositions.Match(tables, source, here))
                Advance(positions, sequence, value, ascends);
            foreach (var (sequence, (value, ascends)) in positions)
                await SetAsync(lease, sequence, value, ascends, cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What stands against it; tables that are missing are the business of whoever copies them.</summary>
    public static async Task FindProblemsAsync(ConnectionLease lease, IReadOnlyList<TableName> tables, Problems problems, CancellationToken cancellationToken)
    {
        var transaction = await lease.Connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await lease.ExecuteAsync(SessionSettings.ForWriting(lease), cancellationToken).ConfigureAwait(false);
            foreach (var use in await SequenceCatalog.FindUsesAsync(lease, tables, cancellationToken).ConfigureAwait(false))
            {
                if (!use.MaySet)
                    problems.Add($"{use.Sequence} of {use.Table} {Unsettable}", Settable);
            }
        }
    }

    // A rollback does not bring a sequence back: whatever can fail comes before the first one is set.
    private static async Task<Dictionary<TableName, (long Value, bool Ascends)>> FindPositionsAsync(
        ConnectionLease lease, IReadOnlyList<TableName> tables, CancellationToken cancellationToken)
    {
        await lease.ExecuteAsync(SessionSettings.ForWriting(lease) + AllRows, cancellationToken).ConfigureAwait(false);
        var missing = await SequenceCatalog.FindMissingAsync(lease, tables, cancellationToken).ConfigureAwait(false);
        var uses = await SequenceCatalog.FindUsesAsync(lease, tables, cancellationToken).ConfigureAwait(false);
        ThrowIfImpossible(missing, uses);

        Dictionary<TableName, (long Value, bool Ascends)> positions = [];
        foreach (var use in uses)
        {
            if (await FindValueAsync(lease, use, cancellationToken).ConfigureAwait(false) is not { } value)
                continue;
            Advance(positions, use.Sequence, value, use.Ascends);
        }

        return positions;
    }

    private static void Advance(Dictionary<TableName, (long Value, bool Ascends)> positions, TableName sequence, long value, bool ascends)
    {
        if (positions.TryGetValue(sequence, out var other))
            value = ascends ? Math.Max(value, other.Value) : Math.Min(value, other.Value);
        positions[sequence] = (value, ascends);
    }

    // Values that the sequence cannot give are none that it has to pass: NaN and infinity are among them. Rounded away from those it has given.
    private static async Task<long?> FindValueAsync(ConnectionLease lease, SequenceUse use, CancellationToken cancellationToken)
    {
        var column = Sql.Name(use.Column);
        var furthest = use.Ascends ? $"pg_catalog.ceil(pg_catalog.max({column})::numeric)" : $"pg_catalog.floor(pg_catalog.min({column})::numeric)";
        var command = lease.Command($"SELECT {furthest}::bigint FROM {use.Table} WHERE {column} BETWEEN $1 AND $2", use.Least, use.Greatest);
        await using (command.ConfigureAwait(false))
        {
            try
            {
                return await command.ScalarAsync<long?>(cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException error) when (!cancellationToken.IsCancellationRequested)
            {
                throw new MigrationException(
                    $"The values of {use.Table}.{column} cannot be read, to set {use.Sequence} past them: {error.MessageText}. No sequence was changed.", error)
                {
                    Table = use.Table,
                };
            }
        }
    }

    // Looks and sets in one statement, so that there is hardly a moment for another session's nextval in between. What is set counts as given: the next
    // one is an increment further.
    private static async Task SetAsync(ConnectionLease lease, TableName sequence, long value, bool ascends, CancellationToken cancellationToken)
    {
        var behind = ascends ? "last_value < $2" : "last_value > $2";
        var command = lease.Command(
            $"SELECT pg_catalog.setval($1::pg_catalog.regclass, $2, true) FROM {sequence} WHERE {behind} OR (last_value = $2 AND NOT is_called)",
            sequence.ToString(), value);
        await using (command.ConfigureAwait(false))
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static void ThrowIfImpossible(List<TableName> missing, List<SequenceUse> uses)
    {
        var unreadable = uses.Where(use => !use.MayRead).ToList();
        var unsettable = uses.Where(use => !use.MaySet).ToList();
        List<string> problems =
        [
            .. missing.Select(table => $"{table} is not a table of the target: create it, or leave it out"),
            .. unreadable.Select(use => $"{use.Table}.{Sql.Name(use.Column)} may not be read: GRANT SELECT on the table, and USAGE on its schema"),
            .. unsettable.Select(use => $"{use.Sequence} {Unsettable}: {Settable}"),
        ];
        if (problems.Count == 0)
            return;
        throw new MigrationException($"No sequence was set. {string.Join("; ", problems.Distinct())}.")
        {
            Table = missing.Concat(unreadable.Concat(unsettable).Select(use => use.Table)).First(),
        };
    }
}
