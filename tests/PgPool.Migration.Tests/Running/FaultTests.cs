using Npgsql;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Running;

/// <summary>What the target's server refuses, for a while or for good.</summary>
public sealed class FaultTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string Ddl = "CREATE TABLE t (id int PRIMARY KEY, a text)";
    private const string Fill = "INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 5000) i; ANALYZE t";

    private static readonly MigrationOptions Small = new() { PartitionBytes = 32 * 1024, MaxAttempts = 50 };

    [Theory]
    [InlineData("40001")]
    [InlineData("40P01")]
    [InlineData("55P03")]
    [InlineData("57P03")]
    [InlineData("53200")]
    public async Task CopyAsync_FailureThatPasses_IsTriedAgain(string state)
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await OnTargetAsync(Failing(state, times: 2));

        var report = await Run(Small).CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        Assert.Equal((5000, 2), (report.Rows, report.Retries));
        await AssertSameTableAsync("t");
    }

    [Fact]
    public async Task CopyAsync_TimeOutsOfOnePartition_CutItInTwo()
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await OnTargetAsync(Failing("57014", times: 2));

        var report = await Run(Small with { PartitionBytes = 1 << 30 }).CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        Assert.Equal((5000, 2, 2), (report.Rows, report.Retries, report.Tables[0].Partitions));
        await AssertSameTableAsync("t");
    }

    [Theory]
    [InlineData("53100", 1, "make room")]
    [InlineData("40001", 3, "3 times")]
    public async Task CopyAsync_FailureThatStays_IsToldWithItsCure(string state, int attempts, string told)
    {
        await CreateAsync(Ddl);
        await OnSourceAsync(Fill);
        await OnTargetAsync(Failing(state, times: 1000));

        var failure = await Assert.ThrowsAsync<MigrationException>(
            () => Run(new() { MaxAttempts = 3 }).CopyAsync([new TableCopy("t")], cancellationToken: Stop));

        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
        Assert.Contains("\"public\".\"t\"", failure.Message, StringComparison.Ordinal);
        Assert.Equal((TableName.Parse("t"), state), (failure.Table, Assert.IsType<PostgresException>(failure.InnerException).SqlState));
        Assert.Equal(attempts + 1, await FromTargetAsync<long>("SELECT nextval('failures')"));
        Assert.Equal(0, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    private static string Failing(string state, int times) => $"""
        CREATE SEQUENCE failures;
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('failures') <= {times} THEN RAISE EXCEPTION 'made up' USING ERRCODE = '{state}'; END IF;
                RETURN NULL;
            END $$;
        CREATE TRIGGER fail BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE PROCEDURE fail()
        """;
}
