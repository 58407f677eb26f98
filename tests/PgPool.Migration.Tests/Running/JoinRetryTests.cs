using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>A snapshot that could not be taken is tried again on other leases than those that went with it.</summary>
public sealed class JoinRetryTests(ServerFixture fixture) : MigrationTest(fixture)
{
    [Fact]
    public async Task CopyAsync_SnapshotFailsOnce_IsTakenOnOtherLeases()
    {
        await CreateAsync("CREATE TABLE orders (id int PRIMARY KEY, v text)");
        await OnSourceAsync("INSERT INTO orders SELECT i, 'x' FROM generate_series(1, 100) i");
        await using var holder = await HoldAsync();

        var copying = Run().CopyAsync([new TableCopy("orders")], cancellationToken: Stop);
        await FailSnapshotAsync(holder);
        await Unpooled.ExecuteAsync(SourceConnection, EndLockers);
        var report = await copying;

        Assert.Equal(100, report.Rows);
        Assert.True(report.Retries >= 1);
        await AssertSameTableAsync("orders");
        Assert.Equal((0, 0), (Source.GetStatistics().Leased, Target.GetStatistics().Leased));
    }

    [Fact]
    public async Task CopyAsync_SnapshotFailsForGood_TellsWhy()
    {
        await CreateAsync("CREATE TABLE orders (id int PRIMARY KEY, v text)");
        await using var holder = await HoldAsync();

        var copying = Run(new() { MaxAttempts = 1 }).CopyAsync([new TableCopy("orders")], cancellationToken: Stop);
        await FailSnapshotAsync(holder);
        var failure = await Assert.ThrowsAsync<MigrationException>(() => copying);

        Assert.Equal("57P01", Assert.IsType<Npgsql.PostgresException>(failure.InnerException).SqlState);
        Assert.Equal((0, 0), (Source.GetStatistics().Leased, Target.GetStatistics().Leased));
    }

    private const string EndLockers = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'locker'";

    // Keeps the run before its snapshot.
    private async Task<Npgsql.NpgsqlConnection> HoldAsync()
    {
        var connection = await Unpooled.OpenAsync(TargetConnection);
        await using var command = new Npgsql.NpgsqlCommand(
            $"SELECT pg_advisory_lock(('x' || left(md5('pgpool_migration/{RunId}'), 16))::bit(64)::bigint)", connection);
        await command.ExecuteNonQueryAsync(Stop);
        return connection;
    }

    // A lock that comes between the checks and the snapshot, and whose waiter is ended by an administrator.
    private async Task FailSnapshotAsync(Npgsql.NpgsqlConnection holder)
    {
        await Eventually.BecomesAsync(
            () => FromTargetAsync<bool>("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"), "the run is held");
        var locker = await Unpooled.OpenAsync(SourceConnection);
        await using var command = new Npgsql.NpgsqlCommand("SET application_name = 'locker'; BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE", locker);
        await command.ExecuteNonQueryAsync(Stop);
        await holder.CloseAsync();
        const string Waiting = "FROM pg_locks WHERE relation = 'orders'::regclass AND NOT granted";
        await Eventually.BecomesAsync(() => FromSourceAsync<bool>($"SELECT EXISTS (SELECT {Waiting})"), "the snapshot waits");
        await OnSourceAsync($"SELECT pg_terminate_backend(pid) {Waiting}");
    }
}
