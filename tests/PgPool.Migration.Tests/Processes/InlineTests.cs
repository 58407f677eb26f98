using Npgsql;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Processes;

public sealed class InlineTests(ServerFixture fixture) : MigrationTest(fixture)
{
    [Fact]
    public async Task ForEachAsync_BodyFailsOnTheThreadOfTheSockets_CancelsTheOthersWithoutIt()
    {
        // For Npgsql's cancel this is also how long it waits for the server, and so for a thread that hears the answer.
        var patient = new NpgsqlConnectionStringBuilder(SourceConnection) { Timeout = 600 };

        var output = await ChildProgram.RunAsync(
            [InlineProgram.Name], new Dictionary<string, string> { [InlineProgram.ConnectionVariable] = patient.ConnectionString }, Stop);

        Assert.Equal("22012", output.Trim());
    }
}
