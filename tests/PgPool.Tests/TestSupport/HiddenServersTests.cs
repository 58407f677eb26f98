using System.Text.RegularExpressions;
using Xunit;

namespace PgPool.Tests.TestSupport;

/// <summary>A test that needs a server does not pass where there is none.</summary>
public sealed partial class HiddenServersTests : IDisposable
{
    private const int TestsFailed = 1;

    private readonly string _empty = Directory.CreateTempSubdirectory("pgpool-empty-").FullName;

    public void Dispose() => Directory.Delete(_empty, recursive: true);

    [Fact]
    public async Task Integration_NothingCanBeFound_NoTestPasses()
    {
        // One way is left, and it leads nowhere: nobody listens on port 1.
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = _empty,
            ["PGPOOL_POSTGRES"] = "embedded",
            ["PGPOOL_POSTGRES_VERSION"] = "",
            ["PGPOOL_POSTGRES_REPOSITORY"] = "http://127.0.0.1:1",
            ["XDG_CACHE_HOME"] = _empty,
        };

        var output = await ChildProgram.RunAsync(
            ["-namespace", "PgPool.Tests.Integration", "-noColor"], environment, TestContext.Current.CancellationToken, TestsFailed);

        var counts = Summary().Match(output).Groups;
        Assert.InRange(int.Parse(counts["total"].Value), 300, int.MaxValue);
        Assert.Equal(int.Parse(counts["total"].Value), int.Parse(counts["failed"].Value) + int.Parse(counts["skipped"].Value));
        Assert.Contains("No PostgreSQL server to run against. What was tried:", output);
    }

    [GeneratedRegex(@"Total: (?<total>\d+), Errors: 0, Failed: (?<failed>\d+), Skipped: (?<skipped>\d+),")]
    private static partial Regex Summary();
}
