using System.Data.Common;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using PgPool;
using PgPool.DependencyInjection;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers pools in a container.</summary>
/// <remarks>
/// The container makes a pool when it is first asked for, and disposes it. Two pools of one <see cref="ConnectionPoolOptions.Name"/> in a container are
/// refused, with an <see cref="InvalidOperationException"/>, when the second is made.
/// </remarks>
public static class PgPoolServiceCollectionExtensions
{
    /// <summary>
    /// A singleton <see cref="ConnectionPool"/>, and it as a <see cref="DbDataSource"/>, made from the container's ILoggerFactory and IMeterFactory,
    /// disposed with it.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="connectionString">Any Npgsql connection string; its pool keywords are read, too.</param>
    /// <param name="configure">Changes the options.</param>
    public static IServiceCollection AddPgPool(this IServiceCollection services, string connectionString, Action<ConnectionPoolOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(connectionString);
        return Add(services, serviceKey: null, provider => Options(provider, connectionString, configure));
    }

    /// <inheritdoc cref="AddPgPool(IServiceCollection, string, Action{ConnectionPoolOptions}?)"/>
    /// <param name="services">The container.</param>
    /// <param name="configure">Sets the options; it has the container's services at hand.</param>
    public static IServiceCollection AddPgPool(this IServiceCollection services, Action<IServiceProvider, ConnectionPoolOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, serviceKey: null, provider => Options(provider, configure));
    }

    /// <summary>
    /// A singleton <see cref="ConnectionPool"/> under a key, and it as a <see cref="DbDataSource"/>, made from the container's ILoggerFactory and
    /// IMeterFactory, disposed with it. A key that is a string is the pool's name, unless it is given another.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="serviceKey">The key.</param>
    /// <param name="connectionString">Any Npgsql connection string; its pool keywords are read, too.</param>
    /// <param name="configure">Changes the options.</param>
    public static IServiceCollection AddKeyedPgPool(this IServiceCollection services, object serviceKey, string connectionString, Action<ConnectionPoolOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(serviceKey);
        ArgumentNullException.ThrowIfNull(connectionString);
        return Add(services, serviceKey, provider => Options(provider, connectionString, configure));
    }

    /// <inheritdoc cref="AddKeyedPgPool(IServiceCollection, object, string, Action{ConnectionPoolOptions}?)"/>
    /// <param name="services">The container.</param>
    /// <param name="serviceKey">The key.</param>
    /// <param name="configure">Sets the options; it has the container's services at hand.</param>
    public static IServiceCollection AddKeyedPgPool(this IServiceCollection services, object serviceKey, Action<IServiceProvider, ConnectionPoolOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(serviceKey);
        ArgumentNullException.ThrowIfNull(configure);
        return Add(services, serviceKey, provider => Options(provider, configure));
    }

    private static IServiceCollection Add(IServiceCollection services, object? serviceKey, Func<IServiceProvider, ConnectionPoolOptions> options)
    {
        services.TryAddSingleton<PoolNames>();
        // Without a key there are containers that know nothing of keys.
        if (serviceKey is null)
        {
            return services.AddSingleton(provider => Make(provider, options(provider)))
                .AddSingleton<DbDataSource>(static provider => provider.GetRequiredService<ConnectionPool>().AsDataSource());
        }
        return services.AddKeyedSingleton(serviceKey, (provider, _) => Make(provider, options(provider), serviceKey as string))
            .AddKeyedSingleton<DbDataSource>(serviceKey, static (provider, key) => provider.GetRequiredKeyedService<ConnectionPool>(key).AsDataSource());
    }

    private static ConnectionPool Make(IServiceProvider provider, ConnectionPoolOptions options, string? name = null)
    {
        options.Name ??= name;
        return provider.GetRequiredService<PoolNames>().Make(options);
    }

    private static ConnectionPoolOptions Options(IServiceProvider provider, string connectionString, Action<ConnectionPoolOptions>? configure)
    {
        var options = WithServices(ConnectionPoolOptions.FromConnectionString(connectionString), provider);
        configure?.Invoke(options);
        return options;
    }

    private static ConnectionPoolOptions Options(IServiceProvider provider, Action<IServiceProvider, ConnectionPoolOptions> configure)
    {
        var options = WithServices(new ConnectionPoolOptions(), provider);
        configure(provider, options);
        return options;
    }

    private static ConnectionPoolOptions WithServices(ConnectionPoolOptions options, IServiceProvider provider)
    {
        options.LoggerFactory = provider.GetService<ILoggerFactory>();
        options.MeterFactory = provider.GetService<IMeterFactory>();
        return options;
    }
}
