namespace PgPool;

/// <summary>The names under which pools report to System.Diagnostics: what to give to a collector.</summary>
/// <example><code>
/// services.AddOpenTelemetry()
///     .WithMetrics(metrics => metrics.AddMeter(PgPoolTelemetry.MeterName))
///     .WithTracing(tracing => tracing.AddSource(PgPoolTelemetry.ActivitySourceName));
/// </code></example>
public static class PgPoolTelemetry
{
    /// <summary>The meter of all pools: "PgPool".</summary>
    public const string MeterName = "PgPool";

    /// <summary>The source of the spans of all pools: "PgPool".</summary>
    public const string ActivitySourceName = "PgPool";

    internal const string PoolName = "db.client.connection.pool.name";

    internal static readonly string? Version = typeof(PgPoolTelemetry).Assembly.GetName().Version?.ToString(fieldCount: 3);
}
