using Npgsql;

namespace PgPool;

/// <summary>Reads Npgsql connection strings: which pool keywords they set, and what is wrong with them.</summary>
internal static class ConnectionStringKeywords
{
    /// <exception cref="ArgumentException">Malformed, or a keyword that Npgsql does not know. The message has no value of the string.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException or InvalidCastException
            or KeyNotFoundException)
        {
            // Npgsql's exception is not passed on: its inner ones can quote values, and a value can be the password.
            var keyword = (exception as ArgumentException)?.ParamName;
            throw ConnectionPoolOptionsValidation.Bad(
                nameof(ConnectionPoolOptions.ConnectionString),
                string.IsNullOrEmpty(keyword)
                    ? "is malformed: it must be a list of 'keyword=value' separated by semicolons"
                    : $"has the keyword '{keyword}', which Npgsql does not know or whose value does not fit");
        }
    }

    /// <summary>Takes the pool keywords that stand in the string over into the options.</summary>
    public static void Apply(string connectionString, ConnectionPoolOptions options)
    {
        var builder = Parse(connectionString);
        var present = builder.Keys.ToHashSet(StringComparer.OrdinalIgnoreCase);

        if (present.Contains("Minimum Pool Size"))
            options.MinSize = builder.MinPoolSize;
        if (present.Contains("Maximum Pool Size"))
            options.MaxSize = builder.MaxPoolSize;
        else
            options.MaxSize = Math.Max(options.MaxSize, options.MinSize);
        if (present.Contains("Timeout"))
        {
            options.RentTimeout = SecondsOrInfinite(builder.Timeout);
            if (builder.Timeout > 0)
                options.OpenTimeout = TimeSpan.FromSeconds(builder.Timeout);
        }
        if (present.Contains("Connection Lifetime"))
            options.MaxLifetime = SecondsOrInfinite(builder.ConnectionLifetime);
        if (present.Contains("Connection Idle Lifetime"))
            options.IdleTimeout = SecondsOrInfinite(builder.ConnectionIdleLifetime);
        if (present.Contains("Keepalive"))
            options.KeepAliveInterval = SecondsOrInfinite(builder.KeepAlive);
        if (builder.NoResetOnClose)
            options.SessionReset = SessionReset.RollbackOnly;
    }

    private static TimeSpan SecondsOrInfinite(int seconds) => seconds == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);
}
