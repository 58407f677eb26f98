using System.Collections.Concurrent;
using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Snapshots;

/// <summary>All leases of a group see one instant, whatever is written.</summary>
[Trait("Category", "Server")]
public sealed class SnapshotInstantTests(ServerFixture fixture) : SnapshotTest(fixture)
{
    [Fact]
    public async Task RentSnapshotAsync_RowsMoveBetweenTablesMeanwhile_EveryLeaseSeesTheSameOfBoth()
    {
        await WriteAsync("CREATE TABLE u (id bigint)");
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var moved = 0;
        var writer = Task.Run(async () =>
        {
            await using var connection = await Unpooled.OpenAsync(Outside);
            await using var command = new NpgsqlCommand("""
                WITH moved AS (DELETE FROM t WHERE id = (SELECT min(id) FROM t) RETURNING id) INSERT INTO u SELECT id FROM moved;
                WITH moved AS (DELETE FROM u WHERE id < (SELECT max(id) FROM u) RETURNING id) INSERT INTO t SELECT id + 1000 FROM moved;
                INSERT INTO u VALUES (-1)
                """, connection);
            for (; !enough.IsCancellationRequested; moved++)
                await command.ExecuteNonQueryAsync(Stop);
        }, Stop);
        await Eventually.BecomesAsync(() => Volatile.Read(ref moved) > 5, "the writer writes");
        var pool = SourcePool();

        for (var round = 0; round < 10; round++)
        {
            await using var group = await pool.RentSnapshotAsync(4, Stop);
            var seen = new ConcurrentBag<(long T, long U)>();
            var leases = new ConcurrentDictionary<long, bool>();
            await group.ForEachAsync(Enumerable.Range(0, 20), async (lease, _, _) =>
            {
                leases[lease.Id] = true;
                seen.Add((await CountAsync(lease), await ScalarAsync<long>(lease, "SELECT sum(id)::bigint FROM u")));
            }, Stop);

            Assert.Single(seen.Distinct());
        }

        await enough.CancelAsync();
        await writer.WaitAsync(Eventually.Deadline, Stop);
    }

    [Fact]
    public async Task RentSnapshotAsync_Returned_EveryLeaseIsInTheSnapshotAlready()
    {
        var pool = SourcePool();
        await using var group = await pool.RentSnapshotAsync(4, Stop);

        // A snapshot that is held is a backend_xmin; one that was only begun has none.
        Assert.Equal(4, await Server.ScalarAsync<int>(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state = 'idle in transaction' AND backend_xmin IS NOT NULL", ApplicationName));
        await AddRowsAsync();

        await AssertAllSeeAsync(OldRows, group);
    }

    [Fact]
    public async Task RentSnapshotAsync_Leases_AreReadOnlyAndWithoutTimeouts()
    {
        var pool = SourcePool(options => options.ConnectionString += ";Options=-c statement_timeout=7s -c idle_in_transaction_session_timeout=7s");
        await using var group = await pool.RentSnapshotAsync(2, Stop);

        var settings = await OnEachAsync(group, lease => ScalarAsync<string>(lease, """
            SELECT concat_ws(' ', current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_setting('statement_timeout'),
                current_setting('idle_in_transaction_session_timeout'), current_setting('row_security'))
            """));

        Assert.All(settings, static setting => Assert.Equal("repeatable read on 0 0 off", setting));
    }

    [Fact]
    public async Task SnapshotId_ImportedElsewhere_ShowsTheSameInstant()
    {
        var pool = SourcePool();
        var before = DateTimeOffset.UtcNow;
        await using var group = await pool.RentSnapshotAsync(2, Stop);
        await AddRowsAsync();

        Assert.Equal(OldRows, await CountImportedAsync(group.SnapshotId));
        Assert.InRange(group.TakenAt, before, DateTimeOffset.UtcNow);
        Assert.Equal(2, group.Count);
        Assert.Equal(2, group.ExportedIds.Distinct().Count());
        foreach (var id in group.ExportedIds)
            Assert.Equal(OldRows, await CountImportedAsync(id));
    }
}
