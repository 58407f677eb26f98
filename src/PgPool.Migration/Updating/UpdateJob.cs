using Npgsql;
using NpgsqlTypes;
using PgPool.Migration.Checkpoints;
using PgPool.Migration.Partitions;
using PgPool.Migration.Running;

namespace PgPool.Migration.Updating;

/// <summary>Runs the caller's UPDATE or DELETE on the next range of keys of a partition.</summary>
/// <param name="run">What the workers share.</param>
/// <param name="plan">The statement, and what keys are read from: ONLY the table, or a partitioned one with its partitions.</param>
internal sealed class UpdateJob(RunState run, UpdatePlan plan) : IPartitionJob
{
    private readonly RangeSize _size = new(run.Options.TimeProvider);

    public async Task<JobResult> RunAsync(
        ConnectionLease? source, ConnectionLease target, Partition partition, string? position, ProgressMeter.Attempt attempt,
        CancellationToken cancellationToken)
    {
        var size = _size.Keys;
        if (await ReadRangeAsync(target, partition, position, size, cancellationToken).ConfigureAwait(false) is not { } range)
            return default;

        var began = run.Options.TimeProvider.GetTimestamp();
        var rows = await ChangeAsync(target, partition, range, cancellationToken).ConfigureAwait(false);
        _size.Took(size, began);
        attempt.Moved(bytes: 0, rows);
        return new JobResult(new PartitionOutcome(rows, Bytes: 0, Rejected: 0), range.Count < size ? null : range.Last);
    }

    public Task<MigrationException> ExplainAsync(
        ConnectionLease? source, ConnectionLease target, Partition partition, Exception refusal, CancellationToken cancellationToken)
    {
        var error = Failures.Refusal(refusal)!;
        return Task.FromResult(new MigrationException(
            $"The statement fails within {partition}: {error.MessageText} ({error.SqlState}{(error.Detail is { } detail ? $", {detail}" : "")}). "
            + "Correct the rows, then run the same id again: ranges that are done stay done. Another statement needs another id, and a condition that leaves "
            + "out the rows of those ranges.", refusal)
        {
            Table = partition.Table.Source,
            Partition = partition.Bounds,
        });
    }

    // A range that takes too long is made smaller, not a partition.
    public bool MaySplit(Partition partition) => false;

    private async Task<long> ChangeAsync(ConnectionLease target, Partition partition, KeyRange range, CancellationToken cancellationToken)
    {
        var command = target.Command(plan.Statement);
        await using (command.ConfigureAwait(false))
        {
            foreach (var bound in new[] { range.First, range.Last, range.First, range.Last })
                command.Parameters.Add(Parameter(bound));
            var (rows, outside) = (await command.QueryAsync(
                static reader => (reader.GetInt64(0), reader.GetInt64(1)), cancellationToken).ConfigureAwait(false))[0];
            return outside == 0 ? rows : throw new MigrationException(
                $"The statement for {partition.Table.Source}, run for the keys from {range.First} to {range.Last}, changes {outside} rows that are not of that range, "
                + "or moves them out of it: they would be changed once for each range, or met again. That range is as it was. "
                + "Have the statement change rows WHERE the key is BETWEEN @first AND @last, and leave the key alone, in triggers too.")
            {
                Table = partition.Table.Source,
                Partition = partition.Bounds,
            };
        }
    }

    private async Task<KeyRange?> ReadRangeAsync(
        ConnectionLease target, Partition partition, string? position, int size, CancellationToken cancellationToken)
    {
        var key = partition.Relation.Key!;
        var name = Sql.Name(key.Name);
        var rest = position is null ? "" : $" AND {name} > {Sql.Literal(position)}::{key.Type}";
        // Not min and max: some types have an order and neither of them.
        var command = target.Command($"""
            WITH range {target.AsMaterialized()} (SELECT {name}::{key.Type} AS key FROM {plan.From} WHERE {partition.Bounds}{rest} ORDER BY {name} LIMIT {size})
            SELECT (SELECT key FROM range ORDER BY key LIMIT 1)::text, last.key::text, (SELECT count(*) FROM range)::int
            FROM (SELECT key FROM range ORDER BY key DESC LIMIT 1) last
            """);
        await using (command.ConfigureAwait(false))
        {
            var ranges = await command.QueryAsync(
                static reader => new KeyRange(reader.GetString(0), reader.GetString(1), reader.GetInt32(2)), cancellationToken).ConfigureAwait(false);
            return ranges is [var range] ? range : null;
        }
    }

    // As text, of the type that the statement takes it for: .NET has no value for some keys, and for some another one (9999-12-31 is infinity).
    private static NpgsqlParameter Parameter(string value) => new() { NpgsqlDbType = NpgsqlDbType.Unknown, Value = value };

    private sealed record KeyRange(string First, string Last, int Count);
}
