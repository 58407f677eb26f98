using System.Data.Common;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using PgPool.Tests.Diagnostics;
using Xunit;

namespace PgPool.Tests.Options;

public sealed class DependencyInjectionTests
{
    private const string Host = "Host=nowhere.invalid;Minimum Pool Size=0";

    [Fact]
    public async Task AddPgPool_String_IsOnePoolDisposedWithTheContainer()
    {
        ConnectionPool pool;
        await using (var provider = new ServiceCollection().AddPgPool(Host, options => options.Name = "shop").BuildServiceProvider())
        {
            pool = provider.GetRequiredService<ConnectionPool>();
            Assert.Same(pool, provider.GetRequiredService<ConnectionPool>());
            Assert.Equal("shop", pool.Name);
            Assert.Equal(0, pool.MinSize);
        }

        Assert.Throws<ObjectDisposedException>(pool.Clear);
    }

    [Fact]
    public async Task AddPgPool_Callback_HasTheServicesAtHand()
    {
        await using var provider = new ServiceCollection()
            .AddSingleton("from the container")
            .AddPgPool((services, options) =>
            {
                options.ConnectionString = Host;
                options.MinSize = 0;
                options.Name = services.GetRequiredService<string>();
            })
            .BuildServiceProvider();

        Assert.Equal("from the container", provider.GetRequiredService<ConnectionPool>().Name);
    }

    [Fact]
    public async Task AddKeyedPgPool_TwoKeys_AreTwoPools()
    {
        await using var provider = new ServiceCollection()
            .AddKeyedPgPool("source", Host, options => options.Name = "source")
            .AddKeyedPgPool("target", Host, options => options.Name = "target")
            .BuildServiceProvider();

        Assert.Equal("source", provider.GetRequiredKeyedService<ConnectionPool>("source").Name);
        Assert.Equal("target", provider.GetRequiredKeyedService<ConnectionPool>("target").Name);
    }

    [Fact]
    public async Task AddPgPool_HasItsDataSource()
    {
        await using var provider = new ServiceCollection().AddPgPool(Host).AddKeyedPgPool("other", Host).BuildServiceProvider();

        Assert.Contains("nowhere.invalid", provider.GetRequiredService<DbDataSource>().ConnectionString);
        Assert.NotSame(provider.GetRequiredService<DbDataSource>(), provider.GetRequiredKeyedService<DbDataSource>("other"));
    }

    [Fact]
    public async Task AddPgPool_ReportsToTheContainersMeters()
    {
        await using var provider = new ServiceCollection().AddMetrics().AddPgPool(Host, options => options.Name = "metered").BuildServiceProvider();
        using var measurements = new Measurements("metered", provider.GetRequiredService<IMeterFactory>());
        using var elsewhere = new Measurements("metered");

        _ = provider.GetRequiredService<ConnectionPool>();

        Assert.Equal(10, measurements.Observe()["db.client.connection.max"]);
        Assert.Empty(elsewhere.Observe());
    }

    [Fact]
    public async Task AddKeyedPgPool_StringKey_IsTheName()
    {
        await using var provider = new ServiceCollection().AddKeyedPgPool("archive", (_, options) => options.ConnectionString = Host).BuildServiceProvider();

        Assert.Equal("archive", provider.GetRequiredKeyedService<ConnectionPool>("archive").Name);
    }

    [Fact]
    public async Task TwoPoolsOfOneName_AreRefused()
    {
        await using var provider = new ServiceCollection()
            .AddPgPool(Host, static options => options.Name = "shop")
            .AddKeyedPgPool("other", Host, static options => options.Name = "shop")
            .BuildServiceProvider();
        _ = provider.GetRequiredService<ConnectionPool>();

        var refusal = Assert.Throws<InvalidOperationException>(() => provider.GetRequiredKeyedService<ConnectionPool>("other"));

        Assert.Contains("'shop'", refusal.Message);
        Assert.Contains("ConnectionPoolOptions.Name", refusal.Message);
    }

    [Fact]
    public async Task BadOptions_DoNotKeepTheirName()
    {
        var minSize = -1;
        await using var provider = new ServiceCollection()
            .AddPgPool((_, options) => (options.ConnectionString, options.Name, options.MinSize) = (Host, "shop", minSize))
            .BuildServiceProvider();
        Assert.ThrowsAny<ArgumentException>(() => provider.GetRequiredService<ConnectionPool>());
        minSize = 0;

        Assert.Equal("shop", provider.GetRequiredService<ConnectionPool>().Name);
    }
}
