using System.Runtime.CompilerServices;

namespace PgPool;

/// <summary>Checks options before a pool is made of them. Every refusal names the property and the allowed range.</summary>
internal static class ConnectionPoolOptionsValidation
{
    /// <summary>What both Monitor.Wait and the timers of .NET can wait for, in whole days.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(24);

    public static void Validate(this ConnectionPoolOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.ConnectionString) && options.ConfigureDataSource is null)
            throw Bad(nameof(options.ConnectionString), "must not be empty: it needs at least a Host");
        ConnectionStringKeywords.Parse(options.ConnectionString ?? "");
        if (options.Name is { } name && string.IsNullOrWhiteSpace(name))
            throw Bad(nameof(options.Name), "must be null, to have one generated, or not blank");

        Sizes(options.MinSize, options.MaxSize, nameof(options.MinSize), nameof(options.MaxSize));
        AtLeast(0, options.MaxWaiting);
        AtLeast(1, options.MaxConcurrentOpens);

        ZeroOrMoreOrInfinite(options.RentTimeout);
        ZeroOrMoreOrInfinite(options.ValidateAfterIdle);
        MoreThanZeroOrInfinite(options.IdleTimeout);
        MoreThanZeroOrInfinite(options.MaxLifetime);
        MoreThanZeroOrInfinite(options.KeepAliveInterval);
        MoreThanZeroOrInfinite(options.LeaseWarningAfter);
        MoreThanZeroAndFinite(options.OpenTimeout);
        MoreThanZeroAndFinite(options.ValidationTimeout);
        MoreThanZeroAndFinite(options.ResetTimeout);
        MoreThanZeroAndFinite(options.ReconnectDelay);
        MoreThanZeroAndFinite(options.MaxReconnectDelay);
        if (options.MaxReconnectDelay < options.ReconnectDelay)
            throw Bad(nameof(options.MaxReconnectDelay), $"must be at least ReconnectDelay ({options.ReconnectDelay}), but is {options.MaxReconnectDelay}");
        if (!(options.LifetimeJitter is >= 0 and <= 1))
            throw Bad(nameof(options.LifetimeJitter), FormattableString.Invariant($"must be from 0 to 1, but is {options.LifetimeJitter}"));

        Defined(options.NestedRents);
        Defined(options.IdleOrder);
        Defined(options.SessionReset);
        if (options.TimeProvider is null)
            throw Bad(nameof(options.TimeProvider), "must not be null: the default is TimeProvider.System");
    }

    /// <summary>The bounds of a pool, checked alike when it is made and when it is resized.</summary>
    public static void Sizes(int minSize, int maxSize, string minName, string maxName)
    {
        if (maxSize < 1)
            throw Bad(maxName, $"must be 1 or more, but is {maxSize}");
        if (minSize < 0 || minSize > maxSize)
            throw Bad(minName, $"must be from 0 to {maxName} ({maxSize}), but is {minSize}");
    }

    private static void AtLeast(int least, int value, [CallerArgumentExpression(nameof(value))] string property = "")
    {
        if (value < least)
            throw Bad(property, $"must be {least} or more, but is {value}");
    }

    private static void ZeroOrMoreOrInfinite(TimeSpan value, [CallerArgumentExpression(nameof(value))] string property = "")
    {
        if (value != Timeout.InfiniteTimeSpan && (value < TimeSpan.Zero || value > Longest))
            throw Bad(property, $"must be from zero to 24 days, or infinite, but is {value}");
    }

    private static void MoreThanZeroOrInfinite(TimeSpan value, [CallerArgumentExpression(nameof(value))] string property = "")
    {
        if (value != Timeout.InfiniteTimeSpan && (value <= TimeSpan.Zero || value > Longest))
            throw Bad(property, $"must be more than zero and at most 24 days, or infinite, but is {value}");
    }

    private static void MoreThanZeroAndFinite(TimeSpan value, [CallerArgumentExpression(nameof(value))] string property = "")
    {
        if (value <= TimeSpan.Zero || value > Longest)
            throw Bad(property, $"must be more than zero and at most 24 days, but is {value}");
    }

    private static void Defined<TEnum>(TEnum value, [CallerArgumentExpression(nameof(value))] string property = "") where TEnum : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw Bad(property, $"must be one of {string.Join(", ", Enum.GetNames<TEnum>())}, but is {value}");
    }

    /// <summary>The one form of all refusals.</summary>
    public static ArgumentException Bad(string property, string rule)
    {
        property = property[(property.LastIndexOf('.') + 1)..];
        return new ArgumentException($"{property} {rule}.", property);
    }
}
