using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace PgPool.TestSupport;

/// <summary>A TCP proxy on 127.0.0.1 that can refuse, hang, delay and cut, to do to a connection what networks do.</summary>
/// <remarks>All members are thread-safe.</remarks>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<ProxiedConnection> _live = [];

    // Completed unless deaf: what every chunk waits for.
    private TaskCompletionSource _hearing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FaultMode _mode;
    private Socket? _listener;
    private Task _accepting = Task.CompletedTask;
    private bool _disposed;
    private long? _bytesUntilCut;
    private long _bytesToClient;
    private long _delayTicks;
    private long _connectDelayTicks;
    private int _accepted;
    private volatile DnsEndPoint _target;

    public FaultProxy(string host, int port)
    {
        _target = new DnsEndPoint(host, port);
        _hearing.SetResult();
        Port = LoopbackPorts.Next();
        Listen();
    }

    /// <summary>The proxy's port, the same for its whole life.</summary>
    public int Port { get; }

    /// <summary>Where new connections go; set it to fail over to another server.</summary>
    public DnsEndPoint Target
    {
        get => _target;
        set => _target = value;
    }

    /// <summary>In force for new and existing connections when the setter returns.</summary>
    public FaultMode Mode
    {
        get
        {
            lock (_lock)
                return _mode;
        }
        set
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (value == FaultMode.Refuse)
                    StopListening();
                else if (_listener is null)
                    Listen();

                if (value != FaultMode.Deaf)
                    _hearing.TrySetResult();
                else if (_hearing.Task.IsCompleted)
                    _hearing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _mode = value;
            }
        }
    }

    /// <summary>Added to every chunk in either direction.</summary>
    public TimeSpan Delay
    {
        get => new(Interlocked.Read(ref _delayTicks));
        set => Interlocked.Exchange(ref _delayTicks, value.Ticks);
    }

    /// <summary>Added once to each new connection, before its first byte goes on.</summary>
    public TimeSpan ConnectDelay
    {
        get => new(Interlocked.Read(ref _connectDelayTicks));
        set => Interlocked.Exchange(ref _connectDelayTicks, value.Ticks);
    }

    /// <summary>All connections accepted so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>The connections that the proxy holds. One that its client closed while the proxy is deaf still counts.</summary>
    public int Live
    {
        get
        {
            lock (_lock)
                return _live.Count;
        }
    }

    /// <summary>All bytes passed from the server to clients so far.</summary>
    public long BytesToClient => Interlocked.Read(ref _bytesToClient);

    /// <summary>A proxy in front of the server that a connection string names.</summary>
    public static FaultProxy InFrontOf(string connectionString)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        return new FaultProxy(server.Host!, server.Port);
    }

    /// <summary>The same connection string, but through the proxy.</summary>
    public string ConnectionStringFor(string original) =>
        new NpgsqlConnectionStringBuilder(original) { Host = "127.0.0.1", Port = Port }.ConnectionString;

    /// <summary>Resets every live connection, on both sides.</summary>
    public void CutAll()
    {
        foreach (var connection in Snapshot())
            connection.Cut();
    }

    /// <summary>Lets this many more bytes through to clients, over all connections, then resets the one that carried
    /// the last of them.</summary>
    public void CutAfter(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        lock (_lock)
            _bytesUntilCut = bytes;
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _disposed = true;
            StopListening();
        }

        // The listener is closed and nothing is added any more: what is live now is all there will be.
        var connections = Snapshot();
        foreach (var connection in connections)
            connection.Cut();
        await Task.WhenAll([_accepting, .. connections.Select(connection => connection.Completion)]);
    }

    /// <summary>What stands between receiving a chunk and sending it on.</summary>
    internal async Task HoldAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        if (delay > TimeSpan.Zero)
            await Task.Delay(delay, cancellationToken);

        Task hearing;
        lock (_lock)
            hearing = _hearing.Task;
        await hearing.WaitAsync(cancellationToken);
    }

    /// <summary>How much of a chunk may go to the client, and whether its connection is to be cut then.</summary>
    internal (int Allowed, bool Cut) Admit(int count)
    {
        lock (_lock)
        {
            var allowed = (int)Math.Min(count, _bytesUntilCut ?? count);
            var cut = allowed == _bytesUntilCut;
            _bytesUntilCut = cut ? null : _bytesUntilCut - allowed;
            _bytesToClient += allowed;
            return (allowed, cut);
        }
    }

    internal void Forget(ProxiedConnection connection)
    {
        lock (_lock)
            _live.Remove(connection);
    }

    private ProxiedConnection[] Snapshot()
    {
        lock (_lock)
            return [.. _live];
    }

    private void Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        listener.Listen();
        _listener = listener;
        _accepting = Task.WhenAll(_accepting, AcceptAsync(listener));
    }

    private void StopListening()
    {
        if (_listener is not { } listener)
            return;

        _listener = null;
        try
        {
            // Closing alone is not enough: a process being started elsewhere holds a copy of the handle for a moment, and the socket
            // would go on listening, and hold the port, through that.
            listener.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // Not every system can shut a listening socket down.
        }

        listener.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
                Serve(await listener.AcceptAsync(), listener);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed to refuse, or for good.
        }
    }

    private void Serve(Socket client, Socket listener)
    {
        var connection = new ProxiedConnection(this, client);
        lock (_lock)
        {
            if (_listener == listener)
            {
                Interlocked.Increment(ref _accepted);
                _live.Add(connection);
                connection.Start();
                return;
            }
        }

        // Accepted while the listener was being closed: refused after all.
        connection.Cut();
    }
}
