using Microsoft.Extensions.DependencyInjection;
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
}
