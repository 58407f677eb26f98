using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace PgPool.Hosting;

/// <summary>What a hosted pool is registered with beside the pool itself.</summary>
/// <param name="Name">The pool's.</param>
/// <param name="IsKeyed">Whether it is asked for by its name.</param>
internal sealed record PoolHosting(string Name, bool IsKeyed)
{
    public static IEnumerable<PoolHosting> Of(IHostApplicationBuilder builder)
        => builder.Services.Select(static service => service.IsKeyedService ? null : service.ImplementationInstance).OfType<PoolHosting>();

    public static void Add(IHostApplicationBuilder builder, string name, bool isKeyed, Func<IServiceProvider, ConnectionPool> pool, Action<PgPoolHostOptions>? configure)
    {
        var options = new Lazy<PgPoolHostOptions>(() => PoolConfiguration.ReadHost(builder.Configuration, name, configure));
        builder.Services.AddSingleton(new PoolHosting(name, isKeyed));
        builder.Services.AddSingleton<IHostedService>(provider => new PoolLifetime(
            () => pool(provider), options.Value, provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILoggerFactory>().CreateLogger("PgPool")));
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            $"pgpool {name}", provider => new PgPoolHealthCheck(pool(provider)), failureStatus: null, tags: ["pgpool", "ready"]));
    }
}
