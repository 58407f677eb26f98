using System.Diagnostics;
using Npgsql;
using PgPool.Engine;

namespace PgPool.Diagnostics;

/// <summary>The spans of a pool: a rent that had to wait, and a physical open.</summary>
/// <remarks>
/// Attributes are those of OpenTelemetry's semantic conventions for databases (https://opentelemetry.io/docs/specs/semconv/database/). What a listener
/// throws stays its own: a connection that is lent, or has just been opened, must not be lost for it.
/// </remarks>
internal sealed class PoolTracing(string pool, NpgsqlConnectionStringBuilder server, TimeProvider time)
{
    private static readonly ActivitySource Source = new(PgPoolTelemetry.ActivitySourceName, PgPoolTelemetry.Version);

    // Of several hosts, the one in use is known of an open session only.
    private readonly bool _isOneHost = server.Host?.Contains(',') == false;

    /// <summary>Begins the span of an open; null when nobody listens. It has no parent: an open is done for whoever comes first.</summary>
    public Activity? StartOpen()
    {
        if (!Source.HasListeners())
            return null;
        try
        {
            var open = Source.StartActivity("pgpool open", ActivityKind.Client);
            Describe(open);
            return open;
        }
        catch (Exception)
        {
            return null;
        }
    }

    /// <summary>Ends the span of an open.</summary>
    /// <param name="open">What <see cref="StartOpen"/> gave.</param>
    /// <param name="connection">The session, unless it failed.</param>
    /// <param name="failure">Why it failed.</param>
    public static void EndOpen(Activity? open, NpgsqlConnection? connection, Exception? failure)
    {
        if (open is null)
            return;
        try
        {
            using (open)
            {
                if (connection is not null)
                {
                    open.SetTag("server.address", connection.Host).SetTag("server.port", connection.Port)
                        .SetTag("db.client.connection.pgpool.backend", connection.ProcessID);
                }
                Fail(open, failure);
            }
        }
        catch (Exception)
        {
        }
    }

    /// <summary>Notes a rent that has ended, if it had to wait or failed.</summary>
    /// <param name="request">Who rented.</param>
    /// <param name="waited">How long.</param>
    /// <param name="failure">What it ended with; null: a lease.</param>
    public void Rented(in RentRequest request, TimeSpan waited, Exception? failure)
    {
        if (!Source.HasListeners() || (waited == TimeSpan.Zero && failure is null))
            return;
        var current = Activity.Current;
        try
        {
            using var rent = Source.StartActivity("pgpool rent", ActivityKind.Internal, default(ActivityContext), startTime: time.GetUtcNow() - waited);
            Describe(rent);
            rent?.SetTag("db.client.connection.pgpool.label", request.Label).SetTag("db.client.connection.pgpool.call_site", request.CallSite);
            Fail(rent, failure);
        }
        catch (Exception)
        {
            // A listener threw before the span was ended: it would stay the parent of whatever the renter does next.
            Activity.Current = current;
        }
    }

    private static void Fail(Activity? span, Exception? failure)
    {
        if (span is null || failure is null)
            return;
        span.SetStatus(ActivityStatusCode.Error, failure.Message)
            .SetTag("error.type", (failure as PostgresException)?.SqlState ?? failure.GetType().FullName)
            .AddException(failure);
    }

    private void Describe(Activity? span)
    {
        if (span is not { IsAllDataRequested: true })
            return;
        span.SetTag("db.system.name", "postgresql").SetTag("db.namespace", server.Database).SetTag(PgPoolTelemetry.PoolName, pool);
        if (_isOneHost)
            span.SetTag("server.address", server.Host).SetTag("server.port", server.Port);
    }
}
