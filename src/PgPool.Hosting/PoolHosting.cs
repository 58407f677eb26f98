using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace PgPool.Hosting;

/// <summary>What a hosted pool is registered with beside the pool itself.</summary>
internal sealed record PoolHosting(string Name)
{
    public static bool Has(IHostApplicationBuilder builder, string name)
        => builder.Services.Any(service => service.ImplementationInstance is PoolHosting hosting && hosting.Name == name);

    public static void Add(IHostApplicationBuilder builder, string name, Func<IServiceProvider, ConnectionPool> pool, Action<PgPoolHostOptions>? configure)
    {
        var options = new Lazy<PgPoolHostOptions>(() => PoolConfiguration.ReadHost(builder.Configuration, name, configure));
        builder.Services.AddSingleton(new PoolHosting(name));
        builder.Services.AddSingleton<IHostedService>(provider => new PoolLifetime(
            () => pool(provider), options.Value, provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILoggerFactory>().CreateLogger("PgPool")));
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            $"pgpool {name}", provider => new PgPoolHealthCheck(pool(provider)), failureStatus: null, tags: ["pgpool", "ready"]));
    }
}
