using System.Collections.Concurrent;
using Npgsql;
using PgPool.Migration.Snapshots;
using PgPool.Tests;
using PgPool.Tests.Integration;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Snapshots;

/// <summary>A test of snapshots in a database of its own, whose table t has <see cref="OldRows"/> rows at first.</summary>
public abstract class SnapshotTest(ServerFixture fixture) : PoolTest(fixture)
{
    protected const long OldRows = 100;

    protected string Database { get; private set; } = "";

    public override async ValueTask InitializeAsync()
    {
        Database = await CreateDatabaseAsync();
        await WriteAsync($"CREATE TABLE t (id bigint); INSERT INTO t SELECT generate_series(1, {OldRows})");
    }

    protected ConnectionPool SourcePool(Action<ConnectionPoolOptions>? configure = null) => Pool(options =>
    {
        options.ConnectionString = Database;
        configure?.Invoke(options);
    });

    /// <summary>From outside of the pool.</summary>
    protected Task WriteAsync(string sql) => Unpooled.ExecuteAsync(Outside, sql);

    /// <summary>Rows that a snapshot taken before does not see.</summary>
    protected Task AddRowsAsync() => WriteAsync("INSERT INTO t SELECT generate_series(1001, 1010)");

    /// <summary>A connection that the counts of this test's sessions leave out.</summary>
    protected string Outside => new NpgsqlConnectionStringBuilder(Database) { ApplicationName = "outside" }.ConnectionString;

    protected static Task<long> CountAsync(ConnectionLease lease) => ScalarAsync<long>(lease, "SELECT count(*) FROM t");

    /// <summary>Returns when the session is gone.</summary>
    protected Task KillAsync(ConnectionLease lease) => KillAsync(lease.BackendProcessId);

    protected Task KillAsync(int session) => Server.TerminateAsync(session);

    /// <summary>Runs once on each lease of the group, on all at once.</summary>
    protected static async Task<IReadOnlyCollection<T>> OnEachAsync<T>(SnapshotGroup group, Func<ConnectionLease, Task<T>> read)
    {
        var results = new ConcurrentBag<T>();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await group.ForEachAsync(Enumerable.Range(0, group.Count), async (lease, _, token) =>
        {
            results.Add(await read(lease));
            if (results.Count == group.Count)
                all.TrySetResult();
            await all.Task.WaitAsync(Eventually.Deadline, token);
        }, Stop);
        return results;
    }

    /// <summary>The number of rows as each lease of the group sees it.</summary>
    protected static async Task AssertAllSeeAsync(long rows, SnapshotGroup group) =>
        Assert.Equal(Enumerable.Repeat(rows, group.Count), await OnEachAsync(group, CountAsync));

    /// <summary>What somebody else sees who imports this snapshot.</summary>
    protected async Task<long> CountImportedAsync(string snapshotId)
    {
        await using var connection = await Unpooled.OpenAsync(Outside);
        await using var command = new NpgsqlCommand(
            $"BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '{snapshotId}'; SELECT count(*) FROM t", connection);
        return (long)(await command.ExecuteScalarAsync(Stop))!;
    }

    internal static async Task<SnapshotGroup> TakeAsync(ConnectionPool pool, int count, SnapshotPlan plan) =>
        await SnapshotGroup.TakeAsync(pool, await pool.RentManyAsync(count, default, Stop), plan, Stop);
}
