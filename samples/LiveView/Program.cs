using System.Net;
using LiveView;
using Microsoft.AspNetCore.DataProtection;
using OpenTelemetry.Metrics;
using PgPool;
using PgPool.TestSupport;

// A server is started for the demonstration, or its databases are in the configuration (ConnectionStrings:source, ConnectionStrings:target): give it two of its
// own, as it makes tables in both, and empties those of the target.
var builder = WebApplication.CreateBuilder(args);
await using var demo = builder.Configuration.GetConnectionString("source") is null ? await PostgresServer.StartAsync() : null;
if (demo is not null)
{
    builder.Configuration["ConnectionStrings:source"] = await demo.CreateDatabaseAsync();
    builder.Configuration["ConnectionStrings:target"] = await demo.CreateDatabaseAsync();
}

// It shows who holds what, and can suspend a pool: nothing for the network, nor for a page of another site under a name of its own.
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, builder.Configuration.GetValue("Port", 5080)));
builder.Configuration["AllowedHosts"] = "localhost;127.0.0.1";
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
builder.Services.AddAntiforgery(options => options.HeaderName = "X-XSRF-TOKEN");
builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();

builder.AddKeyedPgPool("source", static options => (options.MinSize, options.MaxSize) = (2, 6));
builder.AddKeyedPgPool("target", static options => (options.MinSize, options.MaxSize) = (1, 6));
builder.Services.AddOpenTelemetry().WithMetrics(static metrics => metrics.AddMeter(PgPoolTelemetry.MeterName).AddPrometheusExporter());
builder.Services.AddSingleton<DemoMigration>().AddHostedService(static services => services.GetRequiredService<DemoMigration>());
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<PoolViews>().AddHostedService<DemoClients>();

var app = builder.Build();
app.MapLiveView();
app.MapHealthChecks("/health");
app.MapPrometheusScrapingEndpoint();
await app.RunAsync();
