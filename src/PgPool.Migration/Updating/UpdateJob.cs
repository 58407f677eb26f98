using Npgsql;
using NpgsqlTypes;
using PgPool.Migration.Checkpoints;
using PgPool.Migration.Partitions;
using PgPool.Migration.Running;

namespace PgPool.Migration.Updating;

/// <summary>Runs the caller's UPDATE or DELETE on the next range of keys of a partition.</summary>
/// <param name="run">What the workers share.</param>
/// <param name="sql">The statement, with @first and @last.</param>
/// <param name="from">What keys are read from: ONLY the table, or a partitioned one with its partitions.</param>
internal sealed class UpdateJob(RunState run, string sql, string from) : IPartitionJob
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
        var command = target.Command(sql);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(Parameter("first", range.First));
            command.Parameters.Add(Parameter("last", range.Last));
            var rows = await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            _size.Took(size, began);
            attempt.Moved(bytes: 0, Math.Max(rows, 0));
            return new JobResult(new PartitionOutcome(Math.Max(rows, 0), Bytes: 0, Rejected: 0), range.Count < size ? null : range.Last);
        }
    }

    public Task<MigrationException> ExplainAsync(
        ConnectionLease? source, ConnectionLease target, Partition partition, Exception refusal, CancellationToken cancellationToken)
    {
        var error = Failures.Refusal(refusal)!;
        return Task.FromResult(new MigrationException(
            $"The statement fails within {partition}: {error.MessageText} ({error.SqlState}{(error.Detail is { } detail ? $", {detail}" : "")}). "
            + "Correct the rows or the statement; ranges that are done stay done.", refusal)
        {
            Table = partition.Table.Source,
            Partition = partition.Bounds,
        });
    }

    // A range that takes too long is made smaller, not a partition.
    public bool MaySplit(Partition partition) => false;

    private async Task<KeyRange?> ReadRangeAsync(
        ConnectionLease target, Partition partition, string? position, int size, CancellationToken cancellationToken)
    {
        var key = partition.Relation.Key!;
        var name = Sql.Name(key.Name);
        var rest = position is null ? "" : $" AND {name} > {Sql.Literal(position)}::{key.Type}";
        // Not min and max: some types have an order and neither of them.
        var command = target.Command($"""
            WITH range {target.AsMaterialized()} (SELECT {name}::{key.Type} AS key FROM {from} WHERE {partition.Bounds}{rest} ORDER BY {name} LIMIT {size})
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
    private static NpgsqlParameter Parameter(string name, string value) => new(name, NpgsqlDbType.Unknown) { Value = value };

    private sealed record KeyRange(string First, string Last, int Count);
}
