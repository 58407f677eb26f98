using Microsoft.Extensions.Logging;
using PgPool;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers pools in a container.</summary>
public static class PgPoolServiceCollectionExtensions
{
    /// <summary>
    /// A singleton <see cref="ConnectionPool"/>, made from the container's ILoggerFactory, disposed with it.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="connectionString">Any Npgsql connection string; its pool keywords are read, too.</param>
    /// <param name="configure">Changes the options.</param>
    public static IServiceCollection AddPgPool(this IServiceCollection services, string connectionString, Action<ConnectionPoolOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(connectionString);
        return services.AddSingleton(provider => Make(provider, connectionString, configure));
    }

    /// <summary>
    /// A singleton <see cref="ConnectionPool"/>, made from the container's ILoggerFactory, disposed with it.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="configure">Sets the options; it has the container's services at hand.</param>
    public static IServiceCollection AddPgPool(this IServiceCollection services, Action<IServiceProvider, ConnectionPoolOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        return services.AddSingleton(provider =>
        {
            var options = WithServices(new ConnectionPoolOptions(), provider);
            configure(provider, options);
            return new ConnectionPool(options);
        });
    }

    /// <summary>
    /// A singleton <see cref="ConnectionPool"/> under a key, made from the container's ILoggerFactory, disposed with it.
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
        return services.AddKeyedSingleton(serviceKey, (provider, _) => Make(provider, connectionString, configure));
    }

    private static ConnectionPool Make(IServiceProvider provider, string connectionString, Action<ConnectionPoolOptions>? configure)
    {
        var options = WithServices(ConnectionPoolOptions.FromConnectionString(connectionString), provider);
        configure?.Invoke(options);
        return new ConnectionPool(options);
    }

    private static ConnectionPoolOptions WithServices(ConnectionPoolOptions options, IServiceProvider provider)
    {
        options.LoggerFactory = provider.GetService<ILoggerFactory>();
        return options;
    }
}
