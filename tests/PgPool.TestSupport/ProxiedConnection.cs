using System.Net.Sockets;

namespace PgPool.TestSupport;

/// <summary>One client's connection through a <see cref="FaultProxy"/>: two sockets, and a pump in each direction.</summary>
internal sealed class ProxiedConnection(FaultProxy proxy, Socket client) : IDisposable
{
    private const int ChunkSize = 32 * 1024;

    private readonly Socket _server = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    // Ends what is not in a socket's hands: the delays, and the wait for a deaf proxy. Not disposed:
    // a cut may come late, and it has no timer.
    private readonly CancellationTokenSource _cut = new();

    public Task Completion { get; private set; } = Task.CompletedTask;

    public void Start() => Completion = RunAsync();

    /// <summary>Resets both sides.</summary>
    public void Cut()
    {
        _cut.Cancel();
        Reset(client);
        Reset(_server);
    }

    public void Dispose()
    {
        client.Dispose();
        _server.Dispose();
    }

    private static void Reset(Socket socket)
    {
        try
        {
            // Lingering for no time makes closing a reset (RST) instead of a farewell (FIN).
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer, or an earlier cut, was first.
        }

        socket.Dispose();
    }

    private async Task RunAsync()
    {
        await Task.Yield();
        try
        {
            client.NoDelay = true;
            await proxy.HoldAsync(proxy.ConnectDelay, _cut.Token);
            await _server.ConnectAsync(proxy.Target, _cut.Token);
            await Task.WhenAll(
                PumpAsync(client, _server, count => (count, false)),
                PumpAsync(_server, client, proxy.Admit));
        }
        catch (Exception e) when (IsEnd(e))
        {
            Cut();
        }
        finally
        {
            Dispose();
            proxy.Forget(this);
        }
    }

    private async Task PumpAsync(Socket from, Socket to, Func<int, (int Allowed, bool Cut)> admit)
    {
        var buffer = new byte[ChunkSize];
        try
        {
            while (true)
            {
                var count = await from.ReceiveAsync(buffer, _cut.Token);
                await proxy.HoldAsync(proxy.Delay, _cut.Token);
                if (count == 0)
                {
                    // A farewell goes on as one; the other direction may still have something to say.
                    to.Shutdown(SocketShutdown.Send);
                    return;
                }

                var (allowed, cut) = admit(count);
                await to.SendAsync(buffer.AsMemory(0, allowed), _cut.Token);
                if (cut)
                    Cut();
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The other pump must not wait for a peer that will not hear of it otherwise.
            Cut();
        }
    }

    private static bool IsEnd(Exception e) => e is SocketException or ObjectDisposedException or OperationCanceledException;
}
