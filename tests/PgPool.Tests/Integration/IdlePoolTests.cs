using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>A pool that nobody disposes does not keep its process alive.</summary>
public sealed class IdlePoolTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Process_PoolIdleAndLeaseOut_EndsAndItsSessionsWithIt()
    {
        var output = await RunAsync(ConnectionString);

        Assert.Contains("leased 1, waiting 0", output, StringComparison.Ordinal);
        await Eventually.BecomesAsync(async () => await BackendsAsync() == 0, "its sessions are gone");
    }

    [Theory]
    [InlineData(FaultMode.Refuse)]
    [InlineData(FaultMode.Deaf)]
    public async Task Process_ServerOutOfReach_EndsWhileRentsWait(FaultMode mode)
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        proxy.Mode = mode;

        var output = await RunAsync(proxy.ConnectionStringFor(ConnectionString), IdlePoolProgram.Unreachable);

        Assert.Contains("leased 0, waiting 2", output, StringComparison.Ordinal);
    }

    private static Task<string> RunAsync(string connectionString, params string[] arguments) => ChildProgram.RunAsync(
        [IdlePoolProgram.Name, .. arguments], new Dictionary<string, string> { [IdlePoolProgram.ConnectionVariable] = connectionString }, Stop);
}
