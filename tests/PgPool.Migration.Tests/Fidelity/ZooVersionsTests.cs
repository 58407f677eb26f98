using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Fidelity;

/// <summary>As <see cref="ZooTests"/>, between servers of two versions: those between which forms of values changed.</summary>
[Trait("Category", "Versions")]
public sealed class ZooVersionsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(10, 18, false)] // floats are printed short from 12 on, oids of user types of no matter from 14 on
    [InlineData(10, 18, true)]
    [InlineData(18, 10, false)]
    [InlineData(11, 13, false)]
    [InlineData(15, 16, true)]
    [InlineData(17, 16, false)] // infinite intervals from 17 on
    public async Task CopyAsync_BetweenVersions_ArrivesAndIsVerified(int from, int to, bool asText)
    {
        await using var sourceServer = await Installed.StartServerAsync(new() { Version = from });
        await using var targetServer = await Installed.StartServerAsync(new() { Version = to });
        var (source, target) = (await sourceServer.CreateDatabaseAsync(), await targetServer.CreateDatabaseAsync());
        await using var reading = new ConnectionPool(new ConnectionPoolOptions(source) { MaxSize = 3 });
        await using var writing = new ConnectionPool(new ConnectionPoolOptions(target) { MaxSize = 2 });
        var zoo = new Zoo(source, target, Math.Min(from, to), asText);
        await zoo.CreateAsync();

        await new MigrationRun("zoo", reading, writing).CopyAsync(zoo.Tables, cancellationToken: Stop);

        await zoo.AssertSameAsync();
        Assert.Equal([], await NamedAsync(matches: false));
        var seed = Random.Shared.Next();
        var changes = await zoo.ChangeAsync(new Random(seed));
        var unseen = await NamedAsync(matches: true);
        Assert.True(unseen.Count == 0, $"Seed {seed}: not seen in {string.Join(", ", unseen.Select(i => $"{zoo.Names[i]} ({changes[i]})"))}");

        async Task<List<int>> NamedAsync(bool matches)
        {
            var report = await new MigrationRun("zoo", reading, writing).VerifyAsync(zoo.Tables, cancellationToken: Stop);
            return [.. report.Tables.Index().Where(table => table.Item.Matches == matches).Select(static table => table.Index)];
        }
    }

    [Fact]
    public async Task CopyAsync_InfiniteIntervalToAnOlderServer_IsTheRowsFault()
    {
        await using var sourceServer = await Installed.StartServerAsync(new() { Version = 17 });
        await using var targetServer = await Installed.StartServerAsync(new() { Version = 15 });
        var (source, target) = (await sourceServer.CreateDatabaseAsync(), await targetServer.CreateDatabaseAsync());
        await using var reading = new ConnectionPool(new ConnectionPoolOptions(source) { MaxSize = 3 });
        await using var writing = new ConnectionPool(new ConnectionPoolOptions(target) { MaxSize = 2 });
        await Unpooled.ExecuteAsync(source, "CREATE TABLE t (id int PRIMARY KEY, i interval); INSERT INTO t VALUES (1, '1 day'), (2, 'infinity'), (3, '-infinity')");
        await Unpooled.ExecuteAsync(target, "CREATE TABLE t (id int PRIMARY KEY, i interval)");

        var failure = await Assert.ThrowsAsync<MigrationException>(
            () => new MigrationRun("first", reading, writing).CopyAsync([new TableCopy("t")], cancellationToken: Stop));
        var run = new MigrationRun("second", reading, writing);
        TableCopy[] tables = [new("t") { BadRows = BadRows.Reject }];
        var report = await run.CopyAsync(tables, cancellationToken: Stop);
        var verified = await run.VerifyAsync(tables, cancellationToken: Stop);

        Assert.Contains("id = 2", failure.Message);
        Assert.Equal((1, 2), (report.Rows, report.RejectedRows));
        Assert.Equal((false, true, 2), (verified.Matches, verified.MatchesButForRejected, verified.Tables[0].RejectedRows));
    }
}
