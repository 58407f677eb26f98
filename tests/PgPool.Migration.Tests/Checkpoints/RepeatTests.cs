using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Checkpoints;

/// <summary>Exactly once, whatever the id.</summary>
public sealed class RepeatTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private static readonly TableCopy T = new("t");

    private string Second => $"{RunId}-2";

    // What another run does after the first has copied rows 1 to 100, and how many rows the target has then; null: it is refused.
    public static TheoryData<string, TableCopy, string, int?> Others => new()
    {
        { "the same", T, "", null },
        { "other columns", T with { Columns = ["id"] }, "", null },
        { "part of it", T with { Where = "id > 90" }, "", null },
        { "by reject", T with { BadRows = BadRows.Reject }, "", null },
        { "some were deleted", T, "DELETE FROM t WHERE id > 1", null },
        { "meant", T with { AllowRepeat = true }, "", 200 },
        { "truncate", T with { Mode = TargetMode.Truncate }, "", 100 },
        { "emptied by hand", T, "TRUNCATE t", 100 },
        { "deleted by hand", T, "DELETE FROM t", 100 },
        { "another target", T with { Target = new("public", "u") }, "", 100 },
        { "another source", new TableCopy("u") { Target = new("public", "t") }, "", 103 },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public async Task CopyAsync_AfterAnotherRun_RowsAreNotAppendedTwice(string what, TableCopy copy, string before, int? rows)
    {
        await FillAsync();
        await Run().CopyAsync([T], cancellationToken: Stop);
        await OnTargetAsync($"{before};");

        if (rows is null)
        {
            var count = await FromTargetAsync<long>("SELECT count(*) FROM t");
            var failure = await Assert.ThrowsAsync<MigrationException>(() => Run(id: Second).CopyAsync([copy], cancellationToken: Stop));
            Assert.Contains($"run {RunId}, begun on 20", failure.Message, StringComparison.Ordinal);
            Assert.Contains(nameof(TableCopy.AllowRepeat), failure.Message, StringComparison.Ordinal);
            Assert.Contains(RunId, (await Assert.ThrowsAsync<MigrationException>(() => Run(id: Second).CheckAsync([copy], Stop))).Message, StringComparison.Ordinal);
            Assert.False(await Run(id: Second).HasBegunAsync(Stop));
            Assert.Equal(count, await FromTargetAsync<long>("SELECT count(*) FROM t"));
        }
        else
        {
            await Run(id: Second).CopyAsync([copy], cancellationToken: Stop);
            Assert.True(rows == await FromTargetAsync<long>($"SELECT count(*) FROM {copy.Target ?? copy.Source}"), what);
            await Run(id: Second).CopyAsync([copy], cancellationToken: Stop);
        }
    }

    [Theory]
    [InlineData("id <= 50", "id > 50", true)]
    [InlineData("id <= 50 -- first", "id >= 50", false)]
    [InlineData("id <= 50", "id <= 50", false)]
    public async Task CopyAsync_PartsByCondition_MayFollowEachOther(string first, string second, bool goes)
    {
        await FillAsync();
        await Run().CopyAsync([T with { Where = first }], cancellationToken: Stop);

        var copying = Run(id: Second).CopyAsync([T with { Where = second }], cancellationToken: Stop);

        if (goes)
            await copying;
        else
            await Assert.ThrowsAsync<MigrationException>(() => copying);
        Assert.Equal(goes ? 100 : 50, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task CopyAsync_OfAnotherDatabaseOrAfterARunThatEmptied_IsNoRepetition()
    {
        await FillAsync();
        await Run().CopyAsync([T], cancellationToken: Stop);
        await Run(id: Second).CopyAsync([new TableCopy("u") { Target = T.Source, Mode = TargetMode.Truncate }], cancellationToken: Stop);
        await Run(id: $"{RunId}-3").CopyAsync([T], cancellationToken: Stop);
        Assert.Equal(103, await FromTargetAsync<long>("SELECT count(*) FROM t"));

        SourceConnection = new Npgsql.NpgsqlConnectionStringBuilder(await Server.CreateDatabaseAsync()) { ApplicationName = ApplicationName }.ConnectionString;
        await OnSourceAsync("CREATE TABLE t (id int, a text); INSERT INTO t VALUES (7, 'of another shard')");
        Use(SourcePool(), Target);
        await Run(id: $"{RunId}-4").CopyAsync([T], cancellationToken: Stop);

        Assert.Equal(104, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task TransformAsync_AfterACopy_IsARepetitionToo()
    {
        await FillAsync();
        await Run().CopyAsync([T], cancellationToken: Stop);

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run(id: Second).TransformAsync(
            T, row => row.GetInt32(0), ["id"], id => [[id]], cancellationToken: Stop));

        Assert.Contains($"run {RunId}, begun on", failure.Message, StringComparison.Ordinal);
    }

    private async Task FillAsync()
    {
        await CreateAsync("CREATE TABLE t (id int, a text); CREATE TABLE u (id int, a text)");
        await OnSourceAsync("INSERT INTO t SELECT i, 'x' FROM generate_series(1, 100) i; INSERT INTO u SELECT i, 'y' FROM generate_series(1, 3) i");
    }
}
