using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Fidelity;

/// <summary>Whatever the type: what is copied is the same, verification says so, and says otherwise after any one change.</summary>
public sealed class ZooTests(ServerFixture fixture) : MigrationTest(fixture)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task VerifyAsync_AnyType_TellsExactlyWhatDiffers(bool asText)
    {
        var zoo = new Zoo(SourceConnection, TargetConnection, await Server.GetVersionAsync(), asText);
        await zoo.CreateAsync();

        await Run().CopyAsync(zoo.Tables, cancellationToken: Stop);

        await zoo.AssertSameAsync();
        Assert.Equal([], Named(zoo, await Run().VerifyAsync(zoo.Tables, cancellationToken: Stop), matches: false));

        var seed = Random.Shared.Next();
        var changes = await zoo.ChangeAsync(new Random(seed));
        var unseen = Named(zoo, await Run().VerifyAsync(zoo.Tables, cancellationToken: Stop), matches: true);
        Assert.True(unseen.Count == 0, $"Seed {seed}: not seen in {string.Join(", ", unseen.Select(unseen => $"{unseen.Type} ({changes[unseen.Table]})"))}");
    }

    private static List<(int Table, string Type)> Named(Zoo zoo, VerificationReport report, bool matches) =>
        [.. report.Tables.Index().Where(table => table.Item.Matches == matches).Select(table => (table.Index, zoo.Names[table.Index]))];
}
