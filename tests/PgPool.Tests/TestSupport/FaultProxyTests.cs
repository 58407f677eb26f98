using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.TestSupport;

/// <summary>Against a plain echo server, so that every byte is known.</summary>
public sealed class FaultProxyTests : IAsyncLifetime
{
    private readonly TcpListener _echo = new(IPAddress.Loopback, 0);
    private FaultProxy _proxy = null!;
    private Task _echoing = Task.CompletedTask;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _echo.Start();
        _echoing = EchoAsync();
        _proxy = new FaultProxy("127.0.0.1", ((IPEndPoint)_echo.LocalEndpoint).Port);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        _echo.Dispose();
        await _echoing;
    }

    [Fact]
    public async Task Pass_LargeMessage_ComesBackWholeAndIsCounted()
    {
        using var client = await ConnectAsync();
        var sent = new byte[1_000_000];
        Random.Shared.NextBytes(sent);

        var sending = client.SendAsync(sent, Token);
        var received = await ReceiveAsync(client, sent.Length);
        await sending;

        Assert.Equal(sent, received);
        Assert.Equal((1, 1, sent.Length), (_proxy.Accepted, _proxy.Live, (int)_proxy.BytesToClient));
    }

    [Fact]
    public async Task Pass_ClientSaysFarewell_TheServersAnswerStillArrivesAndTheConnectionEnds()
    {
        using var client = await ConnectAsync();
        await client.SendAsync("bye"u8.ToArray(), Token);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal("bye"u8.ToArray(), await ReceiveAsync(client, 3));

        Assert.Equal(0, await client.ReceiveAsync(new byte[1], Token));
        await BecomesLiveAsync(0);
    }

    [Fact]
    public async Task Pass_ServerDown_ClientIsResetAndTheProxyGoesOn()
    {
        var target = _proxy.Target;
        _proxy.Target = new DnsEndPoint("127.0.0.1", 1);
        // The reset may come before the connect returns, or after.
        var exception = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            using var client = await ConnectAsync();
            await client.ReceiveAsync(new byte[1], Token);
        });
        Assert.Equal(SocketError.ConnectionReset, exception.SocketErrorCode);

        _proxy.Target = target;
        using var again = await ConnectAsync();
        await AssertEchoAsync(again);
    }

    [Fact]
    public async Task Refuse_NewConnections_AreRefusedAndComeBackOnTheSamePort()
    {
        using var existing = await ConnectAsync();
        await AssertEchoAsync(existing);

        _proxy.Mode = FaultMode.Refuse;
        var exception = await Assert.ThrowsAsync<SocketException>(ConnectAsync);
        Assert.Equal(SocketError.ConnectionRefused, exception.SocketErrorCode);
        await AssertEchoAsync(existing);

        _proxy.Mode = FaultMode.Pass;
        using var again = await ConnectAsync();
        await AssertEchoAsync(again);
        Assert.Equal((2, 2), (_proxy.Accepted, _proxy.Live));
    }

    [Fact]
    public async Task Refuse_ManyTimesUnderConnects_AlwaysComesBack()
    {
        for (var i = 0; i < 50; i++)
        {
            var connecting = ConnectAsync();
            _proxy.Mode = FaultMode.Refuse;
            try
            {
                using var client = await connecting;
            }
            catch (SocketException)
            {
                // Either way is right: the connect and the mode race.
            }

            _proxy.Mode = FaultMode.Pass;
            using var again = await ConnectAsync();
            await AssertEchoAsync(again);
        }

        _proxy.CutAll();
        await BecomesLiveAsync(0);
    }

    [Fact]
    public async Task Deaf_ExistingAndNewConnections_HangUntilItHearsAgain()
    {
        using var existing = await ConnectAsync();
        await AssertEchoAsync(existing);

        _proxy.Mode = FaultMode.Deaf;
        using var fresh = await ConnectAsync();
        var answers = new[] { EchoesAsync(existing), EchoesAsync(fresh) };
        await Assert.ThrowsAsync<TimeoutException>(() => Task.WhenAny(answers).WaitAsync(TimeSpan.FromMilliseconds(200), Token));

        _proxy.Mode = FaultMode.Pass;
        Assert.All(await Task.WhenAll(answers), Assert.True);
    }

    [Fact]
    public async Task CutAll_TwoConnections_BothAreResetAndNewOnesWork()
    {
        using var first = await ConnectAsync();
        using var second = await ConnectAsync();
        await AssertEchoAsync(first);
        await AssertEchoAsync(second);

        _proxy.CutAll();

        await AssertResetAsync(first);
        await AssertResetAsync(second);
        await BecomesLiveAsync(0);
        using var third = await ConnectAsync();
        await AssertEchoAsync(third);
    }

    [Fact]
    public async Task CutAll_WhileDeaf_Resets()
    {
        _proxy.Mode = FaultMode.Deaf;
        using var client = await ConnectAsync();
        await BecomesLiveAsync(1);

        _proxy.CutAll();

        await AssertResetAsync(client);
    }

    [Fact]
    public async Task CutAfter_TenBytes_ArriveAndThenTheConnectionIsResetOnce()
    {
        using var client = await ConnectAsync();
        _proxy.CutAfter(10);

        await client.SendAsync(new byte[100], Token);

        Assert.Equal(10, (await ReceiveAsync(client, 10)).Length);
        await AssertResetAsync(client);
        Assert.Equal(10, _proxy.BytesToClient);
        using var again = await ConnectAsync();
        await AssertEchoAsync(again);
    }

    [Fact]
    public async Task Delay_OnARoundTrip_IsAddedInBothDirections()
    {
        using var client = await ConnectAsync();
        await AssertEchoAsync(client);
        _proxy.Delay = TimeSpan.FromMilliseconds(100);

        Assert.True(await TimeAsync(() => AssertEchoAsync(client)) >= TimeSpan.FromMilliseconds(190));

        _proxy.Delay = TimeSpan.Zero;
        await AssertEchoAsync(client);
    }

    [Fact]
    public async Task ConnectDelay_IsAddedToTheFirstExchangeOnly()
    {
        _proxy.ConnectDelay = TimeSpan.FromSeconds(1);
        using var client = await ConnectAsync();

        Assert.True(await TimeAsync(() => AssertEchoAsync(client)) >= TimeSpan.FromMilliseconds(950));
        Assert.True(await TimeAsync(() => AssertEchoAsync(client)) < TimeSpan.FromMilliseconds(950));
    }

    [Theory]
    [InlineData(FaultMode.Pass)]
    [InlineData(FaultMode.Refuse)]
    [InlineData(FaultMode.Deaf)]
    public async Task Dispose_InEveryMode_ResetsTheRestAndFreesThePort(FaultMode mode)
    {
        using var client = await ConnectAsync();
        await AssertEchoAsync(client);
        _proxy.Mode = mode;

        await _proxy.DisposeAsync();
        await _proxy.DisposeAsync();

        await AssertResetAsync(client);
        Assert.Equal(0, _proxy.Live);
        Assert.Throws<ObjectDisposedException>(() => _proxy.Mode = FaultMode.Pass);
        await Assert.ThrowsAsync<SocketException>(ConnectAsync);
    }

    private static async Task<byte[]> ReceiveAsync(Socket socket, int count)
    {
        var received = new byte[count];
        for (var have = 0; have < count;)
        {
            var more = await socket.ReceiveAsync(received.AsMemory(have), Token);
            Assert.NotEqual(0, more);
            have += more;
        }

        return received;
    }

    private static async Task<bool> EchoesAsync(Socket socket)
    {
        var sent = Guid.NewGuid().ToByteArray();
        await socket.SendAsync(sent, Token);
        var received = await ReceiveAsync(socket, sent.Length);
        return sent.SequenceEqual(received);
    }

    private static async Task AssertEchoAsync(Socket socket) => Assert.True(await EchoesAsync(socket));

    private static async Task AssertResetAsync(Socket socket)
    {
        var exception = await Assert.ThrowsAsync<SocketException>(() => socket.ReceiveAsync(new byte[1], Token).AsTask());
        Assert.Equal(SocketError.ConnectionReset, exception.SocketErrorCode);
    }

    private static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start);
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, _proxy.Port, Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private Task<int> BecomesLiveAsync(int wanted) =>
        Eventually.BecomesAsync(() => _proxy.Live, live => live == wanted, live => $"{live} live connections, not {wanted}");

    private async Task EchoAsync()
    {
        var clients = new List<Task>();
        try
        {
            while (true)
                clients.Add(EchoAsync(await _echo.AcceptSocketAsync(Token)));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            await Task.WhenAll(clients);
        }
    }

    private static async Task EchoAsync(Socket client)
    {
        using var stream = new NetworkStream(client, ownsSocket: true);
        try
        {
            await stream.CopyToAsync(stream, Token);
        }
        catch (IOException)
        {
            // Cut by the proxy.
        }
    }
}
