using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace PgPool.Hosting;

/// <summary>A pool's options as they stand in the configuration.</summary>
internal static class PoolConfiguration
{
    /// <summary>What the host does with the pool: a section in the pool's own.</summary>
    private const string Host = "Host";

    private const string OfATimeSpan = "30 seconds are 00:00:30, and 30 alone is 30 days";

    /// <summary>What .NET's timers can wait for, in whole days: 2^32 - 2 ms would do, but not everywhere.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(24);

    private static readonly string[] PoolKeys = [.. Keys(typeof(ConnectionPoolOptions).GetProperties()).Where(static key => key != nameof(ConnectionPoolOptions.Name))];
    private static readonly string[] HostKeys = Keys(typeof(PgPoolHostOptions).GetProperties());

    /// <summary>Takes over what is configured, and then what the application's code says.</summary>
    /// <exception cref="OptionsValidationException">What is wrong, by the key that it stands under.</exception>
    public static void Apply(IConfiguration configuration, string name, ConnectionPoolOptions options, Action<ConnectionPoolOptions>? configure)
    {
        var section = Section(configuration, name);
        Validated<ConnectionPoolOptions>(section, () =>
        {
            Check(section, [.. PoolKeys, Host]);
            options.Name = name;
            var own = section[nameof(options.ConnectionString)];
            var connectionString = string.IsNullOrWhiteSpace(own) ? configuration.GetConnectionString(name) : own;

            // Its keywords are the pool's options, too: what stands beside it goes over them.
            if (connectionString is not null)
                options.UseConnectionString(connectionString);
            section.Bind(options);
            options.ConnectionString = connectionString ?? "";
            configure?.Invoke(options);
            if (string.IsNullOrWhiteSpace(options.ConnectionString))
                throw new ArgumentException($"ConnectionStrings:{name} is missing: the pool's connection string.");
            options.Validate();
        });
    }

    /// <inheritdoc cref="Apply"/>
    public static PgPoolHostOptions ReadHost(IConfiguration configuration, string name, Action<PgPoolHostOptions>? configure)
    {
        var section = Section(configuration, name).GetSection(Host);
        var options = new PgPoolHostOptions();
        Validated<PgPoolHostOptions>(section, () =>
        {
            Check(section, HostKeys);
            section.Bind(options);
            configure?.Invoke(options);
            if (!IsWithin(options.WarmUpTimeout, TimeSpan.FromTicks(1)))
                throw Bad(nameof(options.WarmUpTimeout), $"must be more than zero and at most {Longest.Days} days, or infinite; {OfATimeSpan}");
            if (!IsWithin(options.DrainTimeout, TimeSpan.Zero))
                throw Bad(nameof(options.DrainTimeout), $"must be from zero to {Longest.Days} days, or infinite; {OfATimeSpan}");
        });
        return options;
    }

    private static bool IsWithin(TimeSpan timeout, TimeSpan least) =>
        timeout == Timeout.InfiniteTimeSpan || (timeout >= least && timeout <= Longest);

    private static IConfigurationSection Section(IConfiguration configuration, string name) => configuration.GetSection($"PgPool:{name}");

    /// <summary>What a configuration can hold: the binder leaves callbacks and services alone.</summary>
    private static string[] Keys(IEnumerable<PropertyInfo> properties) =>
    [
        .. properties.Where(static property => property.PropertyType == typeof(string) || property.PropertyType.IsValueType)
            .Select(static property => property.Name),
    ];

    // A misspelt key would otherwise be a default that nobody asked for.
    private static void Check(IConfigurationSection section, IReadOnlyCollection<string> known)
    {
        foreach (var key in section.GetChildren().Select(static child => child.Key))
        {
            if (!known.Contains(key, StringComparer.OrdinalIgnoreCase))
                throw Bad(key, $"is no option: there are {string.Join(", ", known)}");
        }
    }

    private static ArgumentException Bad(string key, string rule) => new($"{key} {rule}.", key);

    private static void Validated<TOptions>(IConfigurationSection section, Action apply)
    {
        try
        {
            apply();
        }
        catch (ArgumentException exception)
        {
            var message = exception.ParamName is { } key
                // What .NET adds to the message of such an exception is a name in code.
                ? $"{section.Path}:{exception.Message.Replace($" (Parameter '{key}')", "", StringComparison.Ordinal)}"
                : exception.Message;
            throw new OptionsValidationException(section.Path, typeof(TOptions), [message]);
        }
        // The binder's: a value that is not of its option's type. It names the key.
        catch (InvalidOperationException exception)
        {
            throw new OptionsValidationException(section.Path, typeof(TOptions), [exception.Message]);
        }
    }
}
