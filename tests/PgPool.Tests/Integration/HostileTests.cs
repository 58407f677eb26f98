using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>User code that hangs, throws or interrupts, and servers without room: none of it may cost the pool a place, or hang it.</summary>
[Trait("Category", "Server")]
public sealed class HostileTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_BusyAndServerFull_IsCancelledInstead(bool async)
    {
        var role = $"one_{Guid.NewGuid():N}";
        await Server.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'one' CONNECTION LIMIT 1");
        var pool = Pool(options =>
        {
            options.ConnectionString = new NpgsqlConnectionStringBuilder(ConnectionString) { Username = role, Password = "one" }.ConnectionString;
            options.MaxSize = 1;
        });
        var lease = await pool.RentAsync(Stop);
        var session = lease.BackendProcessId;
        var running = ExecuteAsync(lease, "SELECT pg_sleep(600)");
        await ReturnAsync(lease, async);

        await using var next = await pool.RentAsync(Stop);

        Assert.NotEqual(session, next.BackendProcessId);
        await BackendGoneAsync(session);
        await Assert.ThrowsAnyAsync<Exception>(() => running);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Return_BusyAndServerDeaf_ItsPlaceComesBack(bool async)
    {
        await using var proxy = FaultProxy.InFrontOf(ConnectionString);
        var pool = Pool(options =>
        {
            options.ConnectionString = proxy.ConnectionStringFor(ConnectionString);
            options.OpenTimeout = TimeSpan.FromSeconds(1);
            options.ResetTimeout = TimeSpan.FromMilliseconds(200);
        });
        var lease = await pool.RentAsync(Stop);
        var running = ExecuteAsync(lease, "SELECT pg_sleep(600)");
        proxy.Mode = FaultMode.Deaf;
        await ReturnAsync(lease, async);

        await Eventually.BecomesAsync(() => pool.GetStatistics() is { Total: 0, Closed: 1 }, "the place has come back");

        proxy.CutAll();
        await Assert.ThrowsAnyAsync<Exception>(() => running);
        await Server.TerminateBackendsAsync(ApplicationName);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnConnectionReturned_NeverEnds_IsGivenUpAtResetTimeout(bool async)
    {
        var never = new TaskCompletionSource();
        var told = new TaskCompletionSource();
        var pool = Pool(options =>
        {
            options.ResetTimeout = TimeSpan.FromMilliseconds(200);
            options.OnConnectionReturned = (_, token) =>
            {
                token.Register(told.SetResult);
                return new ValueTask(never.Task);
            };
        });
        var lease = await pool.RentAsync(Stop);
        await ScalarAsync<int>(lease, "SELECT 1");
        await ReturnAsync(lease, async);
        await SettledAsync(pool);

        Assert.Equal(1, pool.GetStatistics().ClosedByReason[CloseReason.ResetFailed]);
        await told.Task.WaitAsync(Eventually.Deadline, Stop);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnConnectionOpened_NeverEnds_IsGivenUpAtOpenTimeout(bool async)
    {
        var calls = 0;
        var never = new TaskCompletionSource();
        var pool = Pool(options =>
        {
            options.OpenTimeout = TimeSpan.FromSeconds(1);
            options.OnConnectionOpened = (_, _) => Interlocked.Increment(ref calls) == 1 ? new ValueTask(never.Task) : default;
        });

        var lease = async ? await pool.RentAsync(Stop) : pool.Rent(Stop);

        await lease.DisposeAsync();
        Assert.Equal((1L, 1L), (pool.GetStatistics().OpenFailed, pool.GetStatistics().Opened));
    }

    [Fact]
    public async Task OnConnectionOpened_ThrowsWithACommandRunning_IsTriedAgain()
    {
        var calls = 0;
        var running = Task.CompletedTask;
        var pool = Pool(options => options.OnConnectionOpened = (connection, _) =>
        {
            if (Interlocked.Increment(ref calls) > 1)
                return default;
            running = new NpgsqlCommand("SELECT pg_sleep(600)", connection).ExecuteNonQueryAsync(CancellationToken.None);
            throw new InvalidOperationException("hook");
        });

        await using var lease = await pool.RentAsync(Stop);

        await Assert.ThrowsAnyAsync<Exception>(() => running);
        Assert.Equal(1, await BackendsAsync());
    }

    [Fact]
    public async Task Dispose_HooksTokenCallbackThrows_ClosesAllTheSame()
    {
        var registered = new TaskCompletionSource();
        var pool = Pool(options => options.OnConnectionOpened = async (_, token) =>
        {
            token.Register(static () => throw new InvalidOperationException("callback"));
            registered.SetResult();
            await Task.Delay(Timeout.Infinite, token);
        });
        var rent = pool.RentAsync(Stop).AsTask();
        await registered.Task;

        await pool.CloseAsync(TimeSpan.Zero, Stop).WaitAsync(Eventually.Deadline, Stop);

        await Assert.ThrowsAsync<ObjectDisposedException>(() => rent);
    }

    [Fact]
    public async Task Logger_Throws_NobodyHearsOfIt()
    {
        using var log = new ThrowingLog();
        var pool = Pool(options =>
        {
            options.MaxSize = 1;
            options.LoggerFactory = log;
        });
        using (var lease = pool.Rent(Stop))
            await ExecuteAsync(lease, "BEGIN");

        using var next = pool.Rent(Stop);
        Assert.Equal(1, await ScalarAsync<int>(next, "SELECT 1"));
    }

    [Fact]
    public async Task Rent_ThreadInterrupted_LeavesTheQueue()
    {
        var pool = Pool(options => options.MaxSize = 1);
        var held = await pool.RentAsync(Stop);
        Exception? thrown = null;
        var token = Stop;
        var thread = new Thread(() => thrown = Record.Exception(() => pool.Rent(token)));
        thread.Start();
        await Eventually.BecomesAsync(() => pool.GetStatistics().Waiting == 1, "the thread waits");

        thread.Interrupt();
        thread.Join();

        Assert.IsType<ThreadInterruptedException>(thrown);
        Assert.Equal(0, pool.GetStatistics().Waiting);
        await held.DisposeAsync();
        await using var next = await pool.RentAsync(Stop);
    }

    [Fact]
    public async Task ForEachAsync_QueueThatItsBodyFills_IsWorkedOff()
    {
        var pool = Pool();
        using var queue = new BlockingCollection<int>();
        queue.Add(5, Stop);
        var done = new ConcurrentQueue<int>();

        await pool.ForEachAsync(queue.GetConsumingEnumerable(Stop), 1, (_, item, _) =>
        {
            done.Enqueue(item);
            if (item > 1)
                queue.Add(item - 1, Stop);
            else
                queue.CompleteAdding();
            return default;
        }, Stop);

        Assert.Equal([5, 4, 3, 2, 1], done);
    }

    private sealed class ThrowingLog : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => categoryName == "PgPool" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => throw new InvalidOperationException("log");

        public bool IsEnabled(LogLevel logLevel) => throw new InvalidOperationException("log");

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
