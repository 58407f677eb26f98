using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PgPool.Tests;
using PgPool.Tests.Integration;

namespace PgPool.Hosting.Tests;

/// <summary>A test with an application that has one pool, "shop", on the real server.</summary>
public abstract class HostedPoolTest(ServerFixture fixture) : PoolTest(fixture)
{
    protected IHost Application(Action<HostApplicationBuilder>? with = null, params ReadOnlySpan<(string Key, string Value)> settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>("ConnectionStrings:shop", ConnectionString)]);
        foreach (var (key, value) in settings)
            builder.Configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>(key, value)]);
        builder.Services.AddSingleton<ILoggerFactory>(Log);
        with?.Invoke(builder);
        builder.AddPgPool("shop");
        return builder.Build();
    }

    protected static ConnectionPool PoolOf(IHost host) => host.Services.GetRequiredService<ConnectionPool>();
}
