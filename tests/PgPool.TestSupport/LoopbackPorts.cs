using System.Net;
using System.Net.Sockets;

namespace PgPool.TestSupport;

/// <summary>Ports that stay free while their owner is down and wants to come back on the same one.</summary>
internal static class LoopbackPorts
{
    // Below every system's range for outgoing connections: a port from in there could be taken by some client meanwhile, and a client
    // that keeps trying to connect to it will one day get it as its own port and be connected to itself.
    private const int First = 15_000;
    private const int Count = 15_000;

    private static int _last = Random.Shared.Next(Count);

    public static int Next()
    {
        while (true)
        {
            // Counting, not drawing anew: two callers at the same time never get the same port.
            var port = First + Interlocked.Increment(ref _last) % Count;
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                // Somebody else's: the next one.
            }
        }
    }
}
