using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Hosting.Tests;

public sealed class HealthCheckTests(ServerFixture fixture) : HostedPoolTest(fixture)
{
    [Fact]
    public async Task ServerThere_IsHealthyWithTheStatistics()
    {
        using var application = Application(null, ("PgPool:shop:MinSize", "2"));
        await application.StartAsync(Stop);

        var report = await ReportAsync(application);

        Assert.Equal(HealthStatus.Healthy, report.Status);
        Assert.Equal(("shop", 2, 10, 0), (report.Data["pool"], report.Data["idle"], report.Data["maxSize"], report.Data["waiting"]));
        Assert.Contains("ready", report.Tags);
        await application.StopAsync(Stop);
        Assert.Equal(HealthStatus.Unhealthy, (await ReportAsync(application)).Status);
    }

    [Fact]
    public async Task NothingOpenYet_IsTried()
    {
        using var application = Application(null, ("PgPool:shop:MinSize", "0"));

        Assert.Equal(HealthStatus.Healthy, (await ReportAsync(application)).Status);
        Assert.Equal(1, PoolOf(application).GetStatistics().Opened);
    }

    [Fact]
    public async Task RentsWait_IsDegraded()
    {
        using var application = Application(null, ("PgPool:shop:MaxSize", "1"));
        var pool = PoolOf(application);
        var lease = await pool.RentAsync(Stop);
        var waiting = pool.RentAsync(Stop);

        var report = await ReportAsync(application);

        Assert.Equal(HealthStatus.Degraded, report.Status);
        Assert.StartsWith("1 rents wait", report.Description);
        await lease.DisposeAsync();
        await (await waiting).DisposeAsync();
        await Eventually.BecomesAsync(async () => (await ReportAsync(application)).Status == HealthStatus.Healthy, "it is healthy again");
    }

    [Fact]
    public async Task Suspended_IsDegradedAndNotTried()
    {
        using var application = Application(null, ("PgPool:shop:MinSize", "0"));
        PoolOf(application).Suspend();

        Assert.Equal(HealthStatus.Degraded, (await ReportAsync(application)).Status);
    }

    [Fact]
    public async Task OpensFail_IsDegradedWhileThereAreConnectionsAndUnhealthyWithoutAny()
    {
        var database = await Server.CreateDatabaseAsync();
        using var application = Application(null, ("ConnectionStrings:shop", database), ("PgPool:shop:MaxSize", "2"));
        var pool = PoolOf(application);
        var name = new NpgsqlConnectionStringBuilder(database).Database;
        var lease = await pool.RentAsync(Stop);
        await Server.ExecuteAsync($"ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false");
        await Assert.ThrowsAnyAsync<PoolException>(async () => await pool.RentAsync(new() { Timeout = TimeSpan.FromSeconds(1) }, Stop));

        var degraded = await ReportAsync(application);
        lease.Discard();
        await lease.DisposeAsync();
        await Eventually.BecomesAsync(() => pool.GetStatistics().Total == 0, "no connection is left");
        var unhealthy = await ReportAsync(application);

        Assert.Equal(HealthStatus.Degraded, degraded.Status);
        Assert.Equal(HealthStatus.Unhealthy, unhealthy.Status);
        Assert.IsAssignableFrom<PoolException>(unhealthy.Exception);
    }

    [Fact]
    public async Task DeadIdleConnections_AreFoundAndReplaced()
    {
        using var application = Application();
        await application.StartAsync(Stop);
        await Server.TerminateBackendsAsync(ApplicationName);

        Assert.Equal(HealthStatus.Healthy, (await ReportAsync(application)).Status);
        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task ServerGone_IsUnhealthyAtTheFirstLook()
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        using var application = Application(
            null, ("ConnectionStrings:shop", proxy.ConnectionStringFor(ConnectionString)), ("PgPool:shop:MinSize", "3"), ("PgPool:shop:MaxReconnectDelay", "00:00:00.2"));
        await application.StartAsync(Stop);
        proxy.Mode = FaultMode.Refuse;
        proxy.CutAll();

        Assert.Equal(HealthStatus.Unhealthy, (await ReportAsync(application)).Status);
        proxy.Mode = FaultMode.Pass;
        await Eventually.BecomesAsync(async () => (await ReportAsync(application)).Status == HealthStatus.Healthy, "it is healthy again");
    }

    private static async Task<HealthReportEntry> ReportAsync(IHost application)
        => (await application.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Stop)).Entries["pgpool shop"];
}
