using PgPool.TestSupport;

namespace PgPool.Tests.Soak;

/// <summary>Does to the network, the server and the pool what happens to them, one fault after the other, at random.</summary>
internal sealed class Faults(PostgresServer server, FaultProxy proxy, ConnectionPool pool, string applicationName, Random random, SoakReport report)
{
    public const int MinSize = 2;
    public const int MaxSize = 12;

    private static readonly string TerminateSome =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1 AND random() < 0.4";

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await OneAsync(stop);
                await CalmAsync(1_000, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            finally
            {
                End();
            }
        }
    }

    /// <summary>No fault any more.</summary>
    private void End()
    {
        proxy.Mode = FaultMode.Pass;
        proxy.Delay = proxy.ConnectDelay = TimeSpan.Zero;
        // One that is still to come never does.
        proxy.CutAfter(long.MaxValue);
        pool.Resume();
        pool.Resize(MinSize, MaxSize);
    }

    private Task OneAsync(CancellationToken stop) => random.Next(server.CanRestart ? 14 : 13) switch
    {
        0 or 1 => Begin("cut all", proxy.CutAll),
        2 => Begin("cut after bytes", () => proxy.CutAfter(random.Next(200_000))),
        3 => ForAWhileAsync("deaf", () => proxy.Mode = FaultMode.Deaf, stop, upTo: 2_500),
        4 => ForAWhileAsync("refuse", () => proxy.Mode = FaultMode.Refuse, stop),
        5 => ForAWhileAsync("refuse and cut", RefuseAndCut, stop),
        6 => ForAWhileAsync("slow", () => proxy.Delay = TimeSpan.FromMilliseconds(random.Next(1, 30)), stop),
        7 => ForAWhileAsync("slow connects", () => proxy.ConnectDelay = TimeSpan.FromMilliseconds(random.Next(1, 500)), stop),
        8 => ForAWhileAsync("resize", Resize, stop),
        9 => ForAWhileAsync("suspend", pool.Suspend, stop),
        10 => Begin("clear", pool.Clear),
        11 => BeginAsync("check", () => pool.CheckAsync(stop)),
        12 => BeginAsync("terminate", () => server.ExecuteAsync(TerminateSome, applicationName)),
        // To its end, whatever else ends: a server that was stopped has to be started again.
        _ when random.Next(2) == 0 => BeginAsync("restart fast", () => server.RestartAsync(PostgresShutdown.Fast, CancellationToken.None)),
        _ => BeginAsync("restart immediate", () => server.RestartAsync(PostgresShutdown.Immediate, CancellationToken.None)),
    };

    private void RefuseAndCut()
    {
        proxy.Mode = FaultMode.Refuse;
        proxy.CutAll();
    }

    private void Resize()
    {
        var maxSize = random.Next(4, MaxSize + 4);
        pool.Resize(random.Next(0, maxSize), maxSize);
    }

    private Task Begin(string name, Action begin)
    {
        report.Fault(name);
        begin();
        return Task.CompletedTask;
    }

    private Task BeginAsync(string name, Func<Task> begin)
    {
        report.Fault(name);
        return begin();
    }

    private async Task ForAWhileAsync(string name, Action begin, CancellationToken stop, int upTo = 1_000)
    {
        await Begin(name, begin);
        await CalmAsync(upTo, stop);
    }

    private Task CalmAsync(int upTo, CancellationToken stop) => Task.Delay(random.Next(upTo), stop);
}
