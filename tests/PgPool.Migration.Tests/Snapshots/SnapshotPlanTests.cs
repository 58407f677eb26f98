using Npgsql;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Snapshots;

/// <summary>Snapshots shared with other groups, as several processes of one run do, and locks under them.</summary>
public sealed class SnapshotPlanTests(ServerFixture fixture) : SnapshotTest(fixture)
{
    private const string DeadId = "00000009-00ABCDEF-1";

    [Fact]
    public async Task ImportFrom_AnothersSnapshot_IsJoined()
    {
        var pool = SourcePool();
        await using var first = await pool.RentSnapshotAsync(2, Stop);
        await AddRowsAsync();

        await using var second = await TakeAsync(pool, 2, new()
        {
            ImportFrom = ["'; DROP TABLE t; --", DeadId, first.SnapshotId],
            ImportContents = first.Contents,
        });

        Assert.True(second.IsImported);
        Assert.Equal(first.Contents, second.Contents);
        await AssertAllSeeAsync(OldRows, second);
        await first.DisposeAsync();
        await AssertAllSeeAsync(OldRows, second);
        Assert.Equal(OldRows, await CountImportedAsync(second.SnapshotId));
    }

    [Fact]
    public async Task ImportFrom_NoneCanBeImported_ANewSnapshotIsTaken()
    {
        var pool = SourcePool();
        var gone = await pool.RentSnapshotAsync(1, Stop);
        var goneId = gone.SnapshotId;
        await gone.DisposeAsync();

        await using var group = await TakeAsync(pool, 2, new() { ImportFrom = ["", DeadId, goneId, goneId + "\n"] });

        Assert.False(group.IsImported);
        await AssertAllSeeAsync(OldRows, group);
    }

    [Fact]
    public async Task ImportContents_OtherThanTheSnapshots_IsNotJoined()
    {
        var pool = SourcePool();
        await using var another = await pool.RentSnapshotAsync(1, Stop);

        await using var group = await TakeAsync(pool, 1, new() { ImportFrom = another.ExportedIds, ImportContents = "1:1:" });

        Assert.False(group.IsImported);
    }

    [Fact]
    public async Task ElsewhereAsync_AllMembersKilled_TheSnapshotIsImportedFromThere()
    {
        var pool = SourcePool();
        await using var first = await pool.RentSnapshotAsync(1, Stop);
        await AddRowsAsync();
        var asked = 0;
        await using var second = await TakeAsync(pool, 2, new()
        {
            ImportFrom = first.ExportedIds,
            ElsewhereAsync = _ =>
            {
                asked++;
                return Task.FromResult<IReadOnlyList<string>>([DeadId, .. first.ExportedIds]);
            },
        });
        var holder = pool.GetLeases().Min(lease => lease.Id);
        foreach (var lease in pool.GetLeases().Where(lease => lease.Id != holder))
            await KillAsync(lease.BackendProcessId);

        await AssertAllSeeAsync(OldRows, second);

        Assert.InRange(asked, 1, 2);
    }

    [Fact]
    public async Task ElsewhereAsync_HasAnotherSnapshot_TheSnapshotIsLost()
    {
        var pool = SourcePool();
        await using var group = await TakeAsync(pool, 1, new()
        {
            ElsewhereAsync = async _ =>
            {
                var other = await pool.RentSnapshotAsync(1, Stop);
                return other.ExportedIds;
            },
        });
        await AddRowsAsync();
        await KillAsync(pool.GetLeases()[0].BackendProcessId);

        await Assert.ThrowsAsync<SnapshotLostException>(() => group.ForEachAsync([0], (_, _, _) => default, Stop));
    }

    [Fact]
    public async Task ChangedAsync_MemberReplaced_IsToldWhatCanBeImportedNow()
    {
        var pool = SourcePool();
        List<IReadOnlyList<string>> told = [];
        await using var group = await TakeAsync(pool, 2, new()
        {
            ChangedAsync = (ids, _) =>
            {
                told.Add(ids);
                return Task.CompletedTask;
            },
        });
        Assert.Equal([group.ExportedIds], told);
        var first = group.ExportedIds;
        await KillAsync(pool.GetLeases()[0].BackendProcessId);

        await AssertAllSeeAsync(OldRows, group);

        Assert.Equal([first, group.ExportedIds], told);
        Assert.Single(first.Except(group.ExportedIds));
    }

    [Fact]
    public async Task Lock_WhileTheGroupLives_HoldsAndIsTakenAgainByAReplacement()
    {
        const string Truncate = "SET lock_timeout = '100ms'; TRUNCATE t";
        var pool = SourcePool();
        await using var group = await TakeAsync(pool, 2, new() { Lock = "LOCK TABLE t IN ACCESS SHARE MODE" });
        await AssertLockedAsync();

        var holder = await Server.ScalarAsync<int>(
            "SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.application_name = $1 AND l.mode = 'AccessShareLock' AND l.relation = "
            + await RelationAsync(), ApplicationName);
        await KillAsync(holder);
        await AssertAllSeeAsync(OldRows, group);
        await AssertLockedAsync();

        await group.DisposeAsync();
        await WriteAsync(Truncate);

        async Task AssertLockedAsync()
        {
            var exception = await Assert.ThrowsAsync<PostgresException>(() => WriteAsync(Truncate));
            Assert.Equal(PostgresErrorCodes.LockNotAvailable, exception.SqlState);
        }

        async Task<string> RelationAsync()
        {
            await using var connection = await Unpooled.OpenAsync(Outside);
            await using var command = new NpgsqlCommand("SELECT 't'::regclass::oid::text", connection);
            return (string)(await command.ExecuteScalarAsync(Stop))!;
        }
    }
}
