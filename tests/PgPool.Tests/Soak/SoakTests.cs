using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Soak;

public class SoakTests(ServerFixture fixture)
{
    [Fact]
    public async Task Soak_AFewSeconds_FindsNothing()
    {
        // On its own server where it can have one: only that can be restarted.
        var environment = new Dictionary<string, string>();
        if (await PostgresServer.WhyNoLocalServerAsync(cancellationToken: TestContext.Current.CancellationToken) is not null)
            environment[PostgresServer.ConnectionVariable] = fixture.Server.ConnectionString;

        var output = await ChildProgram.RunAsync([SoakCommand.Name, "--minutes", "0.05"], environment, TestContext.Current.CancellationToken);

        Assert.Contains("committed and there", output, StringComparison.Ordinal);
        Assert.Contains("passed: nothing found", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--minutes", "none")]
    [InlineData("--minutes", "0")]
    [InlineData("--seed")]
    [InlineData("--what", "1")]
    public async Task Command_OptionNotUnderstood_EndsWith2(params string[] options) => Assert.Equal(2, await SoakCommand.RunAsync(options));

    [Fact]
    public void Report_Finding_Fails()
    {
        using var output = new StringWriter();
        var report = new SoakReport(output);
        report.Finding("something");

        Assert.False(report.Conclude());
        Assert.Contains("FOUND: something", output.ToString(), StringComparison.Ordinal);
    }
}
