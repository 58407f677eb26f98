using Microsoft.Extensions.DependencyInjection;
using PgPool;
using PgPool.Hosting;

namespace Microsoft.Extensions.Hosting;

/// <summary>Adds pools to an application.</summary>
public static class PgPoolHostExtensions
{
    /// <summary>
    /// A <see cref="ConnectionPool"/> from the application's configuration: the connection string <c>ConnectionStrings:name</c>, its pool keywords included,
    /// and over it the options in the section <c>PgPool:name</c>, by their names. It is checked and warm before the application starts, drained when it stops,
    /// and has a health check: see <see cref="PgPoolHostOptions"/>, which has the section <c>PgPool:name:Host</c>.
    /// </summary>
    /// <remarks>
    /// What is wrong with the configuration fails the application's start, or whoever asks for the pool before, with an
    /// <see cref="Microsoft.Extensions.Options.OptionsValidationException"/> that names the key.
    /// </remarks>
    /// <param name="builder">The application.</param>
    /// <param name="name">The pool's name, in the configuration as in logs, metrics and health checks.</param>
    /// <param name="configure">Changes the options after that.</param>
    /// <param name="configureHost">Changes what the host does with the pool.</param>
    /// <exception cref="ArgumentException">There is a pool of that name already, or another one without a key.</exception>
    public static IHostApplicationBuilder AddPgPool(
        this IHostApplicationBuilder builder, string name, Action<ConnectionPoolOptions>? configure = null, Action<PgPoolHostOptions>? configureHost = null)
    {
        Check(builder, name, isKeyed: false);
        builder.Services.AddPgPool((_, options) => PoolConfiguration.Apply(builder.Configuration, name, options, configure));
        PoolHosting.Add(builder, name, isKeyed: false, static provider => provider.GetRequiredService<ConnectionPool>(), configureHost);
        return builder;
    }

    /// <summary>The same for one of several pools: its name is its key.</summary>
    /// <inheritdoc cref="AddPgPool"/>
    public static IHostApplicationBuilder AddKeyedPgPool(
        this IHostApplicationBuilder builder, string name, Action<ConnectionPoolOptions>? configure = null, Action<PgPoolHostOptions>? configureHost = null)
    {
        Check(builder, name, isKeyed: true);
        builder.Services.AddKeyedPgPool(name, (_, options) => PoolConfiguration.Apply(builder.Configuration, name, options, configure));
        PoolHosting.Add(builder, name, isKeyed: true, provider => provider.GetRequiredKeyedService<ConnectionPool>(name), configureHost);
        return builder;
    }

    private static void Check(IHostApplicationBuilder builder, string name, bool isKeyed)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (PoolHosting.Of(builder).FirstOrDefault(other => other.Name == name || !(other.IsKeyed || isKeyed)) is { } other)
        {
            throw new ArgumentException(
                $"There is a pool '{other.Name}' already: give each a name of its own, and AddKeyedPgPool for all but one.", nameof(name));
        }
    }
}
