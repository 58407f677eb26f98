using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>All rows of a run are of one instant, whatever is written to the source meanwhile.</summary>
public sealed class InstantTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const int Accounts = 2000;

    [Theory]
    [InlineData(PartitionBy.Key)]
    [InlineData(PartitionBy.Blocks)]
    public async Task CopyAsync_ConcurrentWriters_EveryPartOfEveryTableIsOfOneInstant(PartitionBy by)
    {
        await CreateAsync("""
            CREATE TABLE debit (id int PRIMARY KEY, amount int NOT NULL);
            CREATE TABLE credit (id int PRIMARY KEY, amount int NOT NULL);
            CREATE TABLE orders (id int PRIMARY KEY, lines int NOT NULL);
            CREATE TABLE lines (order_id int, line int, PRIMARY KEY (order_id, line))
            """);
        await OnSourceAsync($"""
            INSERT INTO debit SELECT i, 0 FROM generate_series(1, {Accounts}) i;
            INSERT INTO credit SELECT i, 0 FROM generate_series(1, {Accounts}) i
            """);
        using var ended = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 2).Select(writer => WriteAsync(writer, ended.Token)).ToArray();

        var copying = Run(new() { PartitionBytes = 16 * 1024, MaxBytesPerSecond = 60_000 }).CopyAsync(
            [.. new[] { "debit", "credit", "orders", "lines" }.Select(table => new TableCopy(table) { PartitionBy = by })], cancellationToken: Stop);

        // One that comes late, in place of one that broke, reads the same instant.
        await Eventually.BecomesAsync(async () => await DoneAsync() > 0, "a partition is done");
        Assert.Equal(1, await Server.TerminateAsync("""
            SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = $2 AND backend_xmin IS NOT NULL AND backend_xid IS NULL
            ORDER BY query_start DESC LIMIT 1
            """, new NpgsqlConnectionStringBuilder(SourceConnection).Database!, ApplicationName));
        var report = await copying;

        await ended.CancelAsync();
        var written = await Task.WhenAll(writers);
        Assert.All(written, times => Assert.True(times > 10, $"{times} transactions"));
        Assert.Equal(Consistency.Snapshot, report.Consistency);
        Assert.True(report.Tables.Sum(table => table.Partitions) > 6);

        // Money is moved, not made, and an order comes with its lines.
        Assert.Equal(0, await FromTargetAsync<long>("SELECT (SELECT sum(amount) FROM debit) + (SELECT sum(amount) FROM credit)"));
        Assert.Equal(
            await FromTargetAsync<long>("SELECT coalesce(sum(lines), 0) FROM orders"), await FromTargetAsync<long>("SELECT count(*) FROM lines"));
        Assert.NotEqual(
            await FromTargetAsync<long>("SELECT count(*) FROM orders"), await FromSourceAsync<long>("SELECT count(*) FROM orders"));
    }

    private async Task<long> DoneAsync() =>
        await FromTargetAsync<bool>("SELECT to_regclass('pgpool_migration.partitions') IS NOT NULL")
            ? await FromTargetAsync<long>("SELECT count(*) FROM pgpool_migration.partitions WHERE done_at IS NOT NULL") : 0;

    private async Task<int> WriteAsync(int writer, CancellationToken ended)
    {
        await using var connection = await Unpooled.OpenAsync(
            new NpgsqlConnectionStringBuilder(SourceConnection) { ApplicationName = "writer" }.ConnectionString);
        var times = 0;
        while (!ended.IsCancellationRequested)
        {
            // The first and the last of the tables, and rows far from each other.
            times++;
            await using var command = new NpgsqlCommand($"""
                BEGIN;
                UPDATE debit SET amount = amount - 1 WHERE id = {1 + (times * 7 % Accounts)};
                UPDATE credit SET amount = amount + 1 WHERE id = {1 + (times * 1013 % Accounts)};
                INSERT INTO lines SELECT {(times * 2) + writer}, line FROM generate_series(1, 3) line;
                INSERT INTO orders VALUES ({(times * 2) + writer}, 3);
                COMMIT
                """, connection);
            await command.ExecuteNonQueryAsync(Stop);
        }

        return times;
    }
}
