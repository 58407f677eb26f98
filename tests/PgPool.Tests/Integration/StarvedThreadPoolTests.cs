using Npgsql;
using PgPool.Tests.Engine.Kit;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>Blocking rents with no thread-pool thread to be had: what sync-over-async pools hang on.</summary>
[Collection(nameof(StarvedThreadPool))]
public sealed class StarvedThreadPoolTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly TimeSpan Respite = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Rent_ManyThreadsOnFewConnections_AllOpenedUsedAndReset()
    {
        var pool = Pool(options => options.MaxSize = 2);

        await StarvedThreadPool.RunAsync(() =>
        {
            var workers = Enumerable.Range(0, 8).Select(_ => new Thread(() =>
            {
                for (var i = 0; i < 25; i++)
                {
                    using var lease = pool.Rent(Stop);
                    Execute(lease, "SELECT pg_advisory_lock(1)");
                }
            })
            { IsBackground = true }).ToArray();
            Array.ForEach(workers, worker => worker.Start());
            Array.ForEach(workers, worker => worker.Join());
        }, Respite);

        Assert.Equal(200, pool.GetStatistics().Rented);
        Assert.Equal((0, 0), (pool.GetStatistics().Leased, pool.GetStatistics().Waiting));
    }

    [Fact]
    public async Task Rent_IdleTooLong_IsValidated()
    {
        var pool = Pool(options =>
        {
            options.MaxSize = 1;
            options.ValidateAfterIdle = TimeSpan.Zero;
        });

        await StarvedThreadPool.RunAsync(() =>
        {
            for (var i = 0; i < 3; i++)
            {
                using var lease = pool.Rent(Stop);
                Execute(lease, "SELECT 1");
            }
        }, Respite);

        Assert.Equal(1, pool.GetStatistics().Opened);
    }

    [Fact]
    public async Task Rent_ConnectionDied_IsReplaced()
    {
        var pool = Pool(options =>
        {
            options.MaxSize = 1;
            options.ValidateAfterIdle = TimeSpan.Zero;
        });

        await StarvedThreadPool.RunAsync(() =>
        {
            int session;
            using (var lease = pool.Rent(Stop))
                session = lease.BackendProcessId;
            using (var killer = new NpgsqlConnection(Server.ConnectionString + ";Pooling=false"))
            {
                killer.Open();
                using var kill = new NpgsqlCommand($"SELECT pg_terminate_backend({session})", killer);
                kill.ExecuteNonQuery();
                using var isThere = new NpgsqlCommand($"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {session})", killer);
                while ((bool)isThere.ExecuteScalar()!)
                    Thread.Yield();
            }
            using var next = pool.Rent(Stop);
            Assert.NotEqual(session, next.BackendProcessId);
            next.Discard();
        }, Respite);
    }

    [Fact]
    public async Task Rent_PoolFull_TimesOutAndIsCancelled()
    {
        var pool = Pool(options => options.MaxSize = 1);

        await StarvedThreadPool.RunAsync(() =>
        {
            using var held = pool.Rent(Stop);
            Assert.Throws<PoolTimeoutException>(() => pool.Rent(new() { Timeout = TimeSpan.FromMilliseconds(50) }, Stop));
            using var cancellation = new CancellationTokenSource();
            var canceller = new Thread(() =>
            {
                SpinWait.SpinUntil(() => pool.GetStatistics().Waiting == 1);
                cancellation.Cancel();
            });
            canceller.Start();
            Assert.Throws<OperationCanceledException>(() => pool.Rent(cancellation.Token));
            canceller.Join();
        }, Respite);
    }

    private static void Execute(ConnectionLease lease, string sql)
    {
        using var command = lease.CreateCommand(sql);
        command.ExecuteNonQuery();
    }
}
