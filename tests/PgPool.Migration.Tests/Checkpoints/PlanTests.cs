using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Checkpoints;

/// <summary>A run goes on as it was begun, or not at all.</summary>
public sealed class PlanTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private static readonly TableCopy T = new("t") { Where = "id < 900" };

    public static TheoryData<string, string, string> Changes => new()
    {
        { "where", "", "where of \"public\".\"t\": was \"id < 900\", is \"id < 800\"" },
        { "columns", "", "columns of \"public\".\"t\"" },
        { "mode", "", "mode of \"public\".\"t\": was \"Append\", is \"Truncate\"" },
        { "table", "", "table \"public\".\"u\" is new" },
        { "none", "", "table \"public\".\"t\" is missing" },
        { "", "ALTER TABLE t ALTER a TYPE varchar(7)", "target schema of \"public\".\"t\"" },
        { "", "ALTER TABLE t DROP CONSTRAINT t_pkey", "target schema of \"public\".\"t\"" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task CopyAsync_AnotherPlanUnderTheSameId_IsRefusedAndTheDifferenceNamed(string what, string onTarget, string told)
    {
        await CreateAsync("CREATE TABLE t (id int PRIMARY KEY, a text, b int); CREATE TABLE u (id int)");
        await OnSourceAsync("INSERT INTO t SELECT i, 'x', i FROM generate_series(1, 1000) i");
        await Run().CopyAsync([T], cancellationToken: Stop);
        if (onTarget.Length > 0)
            await OnTargetAsync(onTarget);
        TableCopy[] asked = what switch
        {
            "where" => [T with { Where = "id < 800" }],
            "columns" => [T with { Columns = ["id", "a"] }],
            "mode" => [T with { Mode = TargetMode.Truncate }],
            "table" => [T, new("u")],
            "none" => [new("u")],
            _ => [T],
        };

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CopyAsync(asked, cancellationToken: Stop));

        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
        Assert.Equal(899, await FromTargetAsync<long>("SELECT count(*) FROM t"));
        Assert.True(await Run().HasBegunAsync(Stop));
        Assert.False(await Run(id: "another").HasBegunAsync(Stop));
    }

    [Theory]
    [InlineData("CREATE TABLE later PARTITION OF t FOR VALUES FROM (100) TO (200)")]
    [InlineData("ALTER TABLE t DETACH PARTITION early")]
    public async Task CopyAsync_OtherPartitionsThanBefore_IsRefused(string change)
    {
        await OnSourceAsync("CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE early PARTITION OF t FOR VALUES FROM (0) TO (100)");
        await OnSourceAsync("INSERT INTO t VALUES (1)");
        await OnTargetAsync("CREATE TABLE t (id int)");
        await Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop);
        await OnSourceAsync(change);

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop));

        Assert.Contains("source partitions of \"public\".\"t\": was \"\"public\".\"early\"\", is", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CopyAsync_NoTables_IsARunOfNothing()
    {
        var report = await Run().CopyAsync([], cancellationToken: Stop);

        Assert.Equal((0, 0), (report.Rows, report.Tables.Count));
    }
}
