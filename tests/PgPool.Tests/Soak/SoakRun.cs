using Npgsql;
using PgPool.TestSupport;

namespace PgPool.Tests.Soak;

/// <summary>A server, a proxy before it, a pool, and the rounds of work and faults, each with a quiet point at its end.</summary>
internal sealed class SoakRun : IAsyncDisposable
{
    private const int AsyncWorkers = 32;
    private const int BlockingWorkers = 4;

    private static readonly TimeSpan LongestRound = TimeSpan.FromMinutes(1);

    /// <summary>For what is bounded by time-outs of seconds: with less, something hangs.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly PostgresServer _server;
    private readonly FaultProxy _proxy;
    private readonly ConnectionPool _pool;
    private readonly SoakContext _soak;
    private readonly QuietPoint _quietPoint;
    private readonly Faults _faults;
    private readonly Random _seeds;

    private SoakRun(PostgresServer server, string database, string[] defaults, int seed, SoakReport report)
    {
        // A server that is shared may have more than one soak.
        var applicationName = $"pgpool-soak-{Guid.NewGuid():N}";
        _server = server;
        _proxy = FaultProxy.InFrontOf(database);
        _seeds = new Random(seed);
        _pool = new ConnectionPool(Options(_proxy.ConnectionStringFor(database), applicationName));
        _soak = new SoakContext(_pool, report, defaults, new RowLedger(database));
        _quietPoint = new QuietPoint(server, _soak, applicationName);
        _faults = new Faults(server, _proxy, _pool, applicationName, new Random(_seeds.Next()), report);
    }

    public static async Task<SoakRun> StartAsync(int seed, SoakReport report)
    {
        // With one of its own it can restart it; what the last commits wrote must survive a crash then.
        var given = Environment.GetEnvironmentVariable(PostgresServer.ConnectionVariable) is { Length: > 0 };
        var server = await PostgresServer.StartAsync(new()
        {
            Local = !given && await PostgresServer.WhyNoLocalServerAsync() is null,
            Settings = new Dictionary<string, string> { ["synchronous_commit"] = "on" },
        });
        report.Line($"seed {seed}, {server.Source} server{(server.CanRestart ? "" : ", no restarts")}");
        return new SoakRun(server, await server.CreateDatabaseAsync(), await DefaultsAsync(server), seed, report);
    }

    public async Task RunAsync(TimeSpan duration)
    {
        await _soak.Rows.CreateTableAsync();
        await _pool.WarmUpAsync();
        var rounds = (int)Math.Ceiling(duration / LongestRound);
        for (var round = 1; round <= rounds; round++)
        {
            await WorkAsync(duration / rounds);
            await _quietPoint.LookAsync();
        }
        _quietPoint.Memory.Judge();
        _soak.Report.Summarize(_pool.GetStatistics(), duration);
    }

    public async ValueTask DisposeAsync()
    {
        await _pool.CloseAsync(TimeSpan.Zero);
        _quietPoint.Dispose();
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
    }

    private async Task WorkAsync(TimeSpan duration)
    {
        using var stop = new CancellationTokenSource(duration);
        var work = new List<Task> { _faults.RunAsync(stop.Token) };
        for (var i = 0; i < AsyncWorkers; i++)
        {
            var worker = new Worker(_soak, new Random(_seeds.Next()), async: true);
            work.Add(Task.Run(() => worker.RunAsync(stop.Token).AsTask(), CancellationToken.None));
        }
        for (var i = 0; i < BlockingWorkers; i++)
        {
            var worker = new Worker(_soak, new Random(_seeds.Next()), async: false);
            work.Add(Blocking.RunAsync(() => worker.RunAsync(stop.Token).AsTask().Wait(CancellationToken.None)));
        }
        try
        {
            await Task.WhenAll(work).WaitAsync(duration + Patience, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            _soak.Report.Finding($"{work.Count(static task => !task.IsCompleted)} workers hang: {_pool.GetStatistics()}");
        }
    }

    private static ConnectionPoolOptions Options(string connectionString, string applicationName) => new()
    {
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = applicationName,
            CommandTimeout = 3,
            CancellationTimeout = 500,
        }.ConnectionString,
        MinSize = Faults.MinSize,
        MaxSize = Faults.MaxSize,
        RentTimeout = TimeSpan.FromSeconds(2),
        OpenTimeout = TimeSpan.FromSeconds(1),
        IdleTimeout = TimeSpan.FromSeconds(2),
        MaxLifetime = TimeSpan.FromSeconds(5),
        ValidateAfterIdle = TimeSpan.FromMilliseconds(100),
        KeepAliveInterval = TimeSpan.FromSeconds(1),
        ValidationTimeout = TimeSpan.FromMilliseconds(500),
        ResetTimeout = TimeSpan.FromMilliseconds(500),
        MaxReconnectDelay = TimeSpan.FromMilliseconds(500),
    };

    private static Task<string[]> DefaultsAsync(PostgresServer server)
        => server.ScalarAsync<string[]>("SELECT array_agg(current_setting(name) ORDER BY ordinal) FROM unnest($1::text[]) WITH ORDINALITY AS setting (name, ordinal)",
            (object)Deeds.Settings);
}
