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
        { "", "ALTER TABLE t DROP b", "lacks the column \"b\"" },
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

    // Nothing of this makes rows wrong that have arrived.
    [Theory]
    [InlineData("", "ALTER TABLE t ALTER a TYPE varchar(7)")]
    [InlineData("", "ALTER TABLE t DROP CONSTRAINT t_pkey")]
    [InlineData("", "ALTER TABLE t ALTER id TYPE bigint; ALTER TABLE t ADD CHECK (id > 0)")]
    [InlineData("ALTER TABLE t ALTER b TYPE bigint", "ALTER TABLE t ALTER b TYPE bigint")]
    [InlineData("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (b)", "")]
    public async Task CopyAsync_SchemaThatDoneRowsDoNotMind_GoesOn(string onSource, string onTarget)
    {
        await CreateAsync("CREATE TABLE t (id int PRIMARY KEY, a text, b int)");
        await OnSourceAsync("INSERT INTO t SELECT i, 'x', i FROM generate_series(1, 1000) i");
        await Run().CopyAsync([T], cancellationToken: Stop);
        await OnSourceAsync($"{onSource};");
        await OnTargetAsync($"{onTarget};");

        var report = await Run().CopyAsync(
            [T with { BadRows = BadRows.Reject, PartitionBy = PartitionBy.Whole }], cancellationToken: Stop);

        Assert.Equal((0, 1, 899), (report.Rows, report.PartitionsSkipped, await FromTargetAsync<long>("SELECT count(*) FROM t")));
    }

    [Fact]
    public async Task NoTables_IsNoRun()
    {
        foreach (var failure in new[]
        {
            await Assert.ThrowsAsync<MigrationException>(() => Run().CopyAsync([], cancellationToken: Stop)),
            await Assert.ThrowsAsync<MigrationException>(() => Run().VerifyAsync([], cancellationToken: Stop)),
            await Assert.ThrowsAsync<MigrationException>(() => Run().CheckAsync([], Stop)),
        })
        {
            Assert.Contains("is it the right database", failure.Message, StringComparison.Ordinal);
        }
    }
}
