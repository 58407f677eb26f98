using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;

namespace PgPool.TestSupport;

/// <summary>Finds out whether a container engine answers, cheaply: Testcontainers itself takes long to learn that none does.</summary>
internal static class ContainerEngine
{
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(2);

    public static async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        foreach (var endpoint in Endpoints())
        {
            if (await AnswersAsync(endpoint, cancellationToken))
                return true;
        }

        return false;
    }

    private static async Task<bool> AnswersAsync(Uri endpoint, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { ConnectCallback = async (_, token) => await ConnectAsync(endpoint, token) };
        using var client = new HttpClient(handler) { Timeout = Budget };
        try
        {
            using var response = await client.GetAsync(new Uri("http://engine/_ping"), cancellationToken);

            // 400 is what an engine says that wants TLS.
            return response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.BadRequest;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever is wrong with it (refused, deaf, no engine at all, no valid address), it is not of use.
            return false;
        }
    }

    // Where Testcontainers looks, without its configuration file.
    private static IEnumerable<Uri> Endpoints()
    {
        if (Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } given)
            return Uri.TryCreate(given, UriKind.Absolute, out var endpoint) ? [endpoint] : [];

        if (OperatingSystem.IsWindows())
            return [new Uri("npipe://./pipe/docker_engine")];

        string?[] folders = ["/var/run", Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"),
            Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".docker/run")];
        return folders.OfType<string>().Select(folder => Path.Combine(folder, "docker.sock")).Where(File.Exists)
            .Select(socket => new Uri("unix://" + socket));
    }

    private static async Task<Stream> ConnectAsync(Uri endpoint, CancellationToken cancellationToken)
    {
        if (endpoint.Scheme == "npipe")
        {
            var name = Path.GetFileName(endpoint.AbsolutePath);
            var pipe = new NamedPipeClientStream(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
            await pipe.ConnectAsync(cancellationToken);
            return pipe;
        }

        var socket = endpoint.Scheme == "unix"
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.Scheme == "unix")
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(endpoint.AbsolutePath), cancellationToken);
            else
                await socket.ConnectAsync(endpoint.Host, endpoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
