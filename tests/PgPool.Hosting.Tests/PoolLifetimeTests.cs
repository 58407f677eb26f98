using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Hosting.Tests;

public sealed class PoolLifetimeTests(ServerFixture fixture) : HostedPoolTest(fixture)
{
    [Fact]
    public async Task Start_WarmsThePoolBeforeAnythingElseStarts()
    {
        using var application = Application(
            builder => builder.Services.AddHostedService(provider => new Looker(provider.GetRequiredService<ConnectionPool>())), ("PgPool:shop:MinSize", "3"));

        await application.StartAsync(Stop);

        Assert.Equal(3, application.Services.GetServices<IHostedService>().OfType<Looker>().Single().TotalAtStart);
        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task Start_WithTheServerDown_GoesOnAfterATimeAndSaysSo()
    {
        var nowhere = new NpgsqlConnectionStringBuilder(ConnectionString) { Host = "127.0.0.1", Port = 1 }.ConnectionString;
        using var application = Application(null, ("ConnectionStrings:shop", nowhere), ("PgPool:shop:Host:WarmUpTimeout", "00:00:00.1"));

        await application.StartAsync(Stop);

        Assert.Contains(Log.Warnings, static warning => warning.Contains("1 connections were not open within 0.1 s", StringComparison.Ordinal));
        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task Start_RefusedForGood_Fails()
    {
        var wrong = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "no such database" }.ConnectionString;
        using var application = Application(null, ("ConnectionStrings:shop", wrong));

        await Assert.ThrowsAsync<PoolConnectException>(() => application.StartAsync(Stop));
    }

    [Fact]
    public async Task Start_WithoutWarmUp_WaitsForNothing()
    {
        var wrong = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "no such database" }.ConnectionString;
        using var application = Application(null, ("ConnectionStrings:shop", wrong), ("PgPool:shop:Host:WarmUp", "false"));

        await application.StartAsync(Stop);
        await application.StopAsync(Stop);
    }

    [Fact]
    public async Task Stop_WaitsForLeasesAndClosesThePool()
    {
        using var application = Application();
        await application.StartAsync(Stop);
        var pool = PoolOf(application);
        var lease = await pool.RentAsync(Stop);

        var stopping = application.StopAsync(Stop);
        await Eventually.BecomesAsync(() => Refuses(pool), "it lends no longer");
        Assert.False(stopping.IsCompleted);
        Assert.Equal(1, await ScalarAsync<int>(lease, "SELECT 1"));
        await lease.DisposeAsync();
        await stopping.WaitAsync(Eventually.Deadline, Stop);

        await Eventually.BecomesAsync(async () => await BackendsAsync() == 0, "no session is left");
    }

    [Fact]
    public async Task Stop_LeaseThatDoesNotComeBack_IsSevered()
    {
        using var application = Application(null, ("PgPool:shop:Host:DrainTimeout", "00:00:00"));
        await application.StartAsync(Stop);
        var lease = await PoolOf(application).RentAsync(Stop);
        var running = ScalarAsync<object>(lease, "SELECT pg_sleep(600)");

        await application.StopAsync(Stop).WaitAsync(Eventually.Deadline, Stop);

        await Assert.ThrowsAnyAsync<Exception>(() => running);
    }

    [Fact]
    public async Task Stop_HostsPatienceEndsBeforeTheDrain_LeaseIsSeveredWithoutAnError()
    {
        using var application = Application(
            builder => builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1)),
            ("PgPool:shop:Host:DrainTimeout", "1.00:00:00"));
        await application.StartAsync(Stop);
        var lease = await PoolOf(application).RentAsync(Stop);
        var running = ScalarAsync<object>(lease, "SELECT pg_sleep(600)");

        await application.StopAsync(Stop).WaitAsync(Eventually.Deadline, Stop);

        await Assert.ThrowsAnyAsync<Exception>(() => running.WaitAsync(Eventually.Deadline, Stop));
        await Eventually.BecomesAsync(async () => await BackendsAsync() == 0, "its statement runs no longer");
    }

    private static bool Refuses(ConnectionPool pool)
    {
        try
        {
            return pool.MaxSize < 0;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    private sealed class Looker(ConnectionPool pool) : IHostedService
    {
        public int TotalAtStart { get; private set; }

        public Task StartAsync(CancellationToken cancellationToken)
        {
            TotalAtStart = pool.GetStatistics().Total;
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
