using Testcontainers.PostgreSql;

namespace PgPool.TestSupport.Servers;

/// <summary>A container of its own, by Testcontainers.</summary>
internal sealed class ContainerWay(TestBedSettings settings) : IPostgresWay
{
    private const int DefaultVersion = 15;

    public string Name => "container";

    public async Task<PostgresServer> StartAsync(int? version, PostgresServerOptions options, CancellationToken cancellationToken)
    {
        if (!await ContainerEngine.AnswersAsync(cancellationToken))
            throw new WayUnavailableException("no container engine answers (start Docker or Podman)");

        var image = settings.Image ?? $"postgres:{version ?? DefaultVersion}";
        var container = new PostgreSqlBuilder(image)
            .WithCommand([.. ServerSettings.For(options).SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })])
            .Build();
        try
        {
            await container.StartAsync(cancellationToken);
        }
        catch (Exception e)
        {
            await container.DisposeAsync();
            if (cancellationToken.IsCancellationRequested)
                throw;
            throw new WayUnavailableException($"a container of {image} does not start: {e.Message}", e);
        }

        var server = new PostgresServer(PostgresServerSource.Container, container.GetConnectionString(), container);
        try
        {
            await server.CheckVersionAsync(settings.Image is null ? null : version);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }
}
