using Microsoft.AspNetCore.Antiforgery;
using PgPool;

namespace LiveView;

/// <summary>The page, what it shows, and what it can do.</summary>
internal static class LiveViewEndpoints
{
    private static readonly string Page = ReadPage();

    public static void MapLiveView(this WebApplication app)
    {
        app.MapGet("/", static (HttpContext context, IAntiforgery antiforgery) =>
        {
            context.Response.Headers.ContentSecurityPolicy =
                "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'";
            context.Response.Headers.CacheControl = "no-store";
            return Results.Content(Page.Replace("{{token}}", antiforgery.GetAndStoreTokens(context).RequestToken, StringComparison.Ordinal), "text/html; charset=utf-8");
        });
        app.MapGet("/events", static (PoolViews views, CancellationToken cancellationToken) => TypedResults.ServerSentEvents(views.WatchAsync(cancellationToken)));

        var changes = app.MapGroup("").AddEndpointFilter(RequireTokenAsync);
        changes.MapPost("/copy", static (DemoMigration migration)
            => migration.TryStart() ? Results.NoContent() : Results.Problem("A copy is running.", statusCode: StatusCodes.Status409Conflict));
        var pools = changes.MapGroup("/pools/{name}");
        pools.MapPost("/suspend", static (string name, PoolViews views) => Change(views, name, static pool => pool.Suspend()));
        pools.MapPost("/resume", static (string name, PoolViews views) => Change(views, name, static pool => pool.Resume()));
        pools.MapPost("/clear", static (string name, PoolViews views) => Change(views, name, static pool => pool.Clear()));
        pools.MapPost("/resize", static (string name, int min, int max, PoolViews views) => Change(views, name, pool => pool.Resize(min, max)));
    }

    private static IResult Change(PoolViews views, string name, Action<ConnectionPool> change)
    {
        if (views.Find(name) is not { } pool)
            return Results.Problem($"There is no pool '{name}'.", statusCode: StatusCodes.Status404NotFound);
        try
        {
            change(pool);
            return Results.NoContent();
        }
        catch (ArgumentException exception)
        {
            return Results.Problem(exception.Message, statusCode: StatusCodes.Status400BadRequest);
        }
    }

    // What changes something must come from the page itself: any other site can send a POST to a loopback address.
    private static async ValueTask<object?> RequireTokenAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var antiforgery = invocation.HttpContext.RequestServices.GetRequiredService<IAntiforgery>();
        return await antiforgery.IsRequestValidAsync(invocation.HttpContext)
            ? await next(invocation)
            : Results.Problem("The request has no valid anti-forgery token: reload the page.", statusCode: StatusCodes.Status400BadRequest);
    }

    private static string ReadPage()
    {
        using var stream = typeof(LiveViewEndpoints).Assembly.GetManifestResourceStream("index.html")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
