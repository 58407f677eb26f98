using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PgPool.Diagnostics;
using PgPool.Engine;
using PgPool.Sessions;
using PgPool.Tests.Integration;
using Xunit;

namespace PgPool.Tests.Diagnostics;

public sealed class LoggingTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public void DisabledLevels_AllocateNothing()
    {
        using var metrics = new PoolMetrics(null, ApplicationName, static () => throw new InvalidOperationException());
        var events = new PoolEvents(NullLogger.Instance, ApplicationName, new ServerCapacity(), metrics);
        var request = new RentRequest("label", "/src/Orders.cs", 42);
        var exception = new InvalidOperationException();
        Tell();

        var before = GC.GetAllocatedBytesForCurrentThread();
        Tell();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Tell()
        {
            events.Opened(1, TimeSpan.Zero);
            events.Closed(1, CloseReason.IdleTimeout, null);
            foreach (var failure in Failures)
                events.OpenFailed(exception, failure, 1);
            foreach (var verdict in Verdicts)
                events.DirtyReturn(request, 1, verdict);
            events.Abandoned(request);
            events.NestedRent(request);
            events.Used(TimeSpan.Zero);
            events.Reset(TimeSpan.Zero);
            events.Resized(1, 2);
            events.Suspended();
            events.Resumed();
            events.Cleared();
            events.PoolMade(1, 2);
            events.PoolClosed();
        }
    }

    private static readonly OpenFailure[] Failures = Enum.GetValues<OpenFailure>();

    private static readonly ResetVerdict[] Verdicts =
        [.. Enum.GetValues<CloseReason>().Select(static reason => new ResetVerdict(reason)), new ResetVerdict(null, WasDirty: true)];

    [Fact]
    public async Task Running_IsLoggedForWhoeverReadsWhatWasDone()
    {
        var pool = Pool(options => options.Name = "shop");

        pool.Resize(1, 3);
        pool.Suspend();
        pool.Resume();
        pool.Clear();

        await pool.CloseAsync(TimeSpan.Zero, Stop);
        Assert.Equal([1204, 1202, 1203, 1205, 1200], Log.Entries.Where(static entry => entry.Level == LogLevel.Information).Select(static entry => entry.EventId));
        Assert.All(Log.Entries.Where(static entry => entry.Level == LogLevel.Information), static entry => Assert.Contains("'shop'", entry.Message));
    }

    [Fact]
    public void EventIds_AreDistinctAndInTheirRanges()
    {
        var ids = typeof(PoolLog).GetMethods().Select(static method => Attribute.GetCustomAttribute(method, typeof(LoggerMessageAttribute)))
            .OfType<LoggerMessageAttribute>().Select(static message => message.EventId).ToArray();

        Assert.NotEmpty(ids);
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(ids, static id => Assert.InRange(id, 1000, 1299));
    }
}
