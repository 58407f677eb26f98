using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Npgsql;

namespace PgPool.Migration.Tests.Copying;

/// <summary>Between a client and a server: lets everything through but the trailers of binary COPYs.</summary>
internal sealed class TrailerThief : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public TrailerThief(string server)
    {
        _server = new(server);
        _listener.Start();
        _running = RunAsync();
    }

    public int Stolen { get; private set; }

    // CopyData of six bytes that says that a row has -1 fields.
    private static ReadOnlySpan<byte> Trailer => [(byte)'d', 0, 0, 0, 6, 0xFF, 0xFF];

    public string ConnectionStringFor(string original) => new NpgsqlConnectionStringBuilder(original)
    {
        Host = "127.0.0.1",
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
        SslMode = SslMode.Disable,
    }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
        using var server = new TcpClient();
        await server.ConnectAsync(_server.Host!, _server.Port, _stop.Token);
        var (up, down) = (client.GetStream(), server.GetStream());
        await Task.WhenAll(up.CopyToAsync(down, _stop.Token), PassAsync(down, up));
    }

    private async Task PassAsync(NetworkStream from, NetworkStream to)
    {
        List<byte> held = [];
        var buffer = new byte[8192];
        int read;
        while ((read = await from.ReadAsync(buffer, _stop.Token)) > 0)
        {
            held.AddRange(buffer.AsSpan(0, read));
            var found = Find(held);
            if (found >= 0)
            {
                held.RemoveRange(found, Trailer.Length);
                Stolen++;
            }

            // Whole answers, so that none is cut in two: they end as the server is ready for a query, or ask for a password.
            if (held is [.., (byte)'Z', 0, 0, 0, 5, _] or [(byte)'R', ..])
            {
                await to.WriteAsync(held.ToArray(), _stop.Token);
                held.Clear();
            }
        }
    }

    private static int Find(List<byte> held) => CollectionsMarshal.AsSpan(held).IndexOf(Trailer);
}
