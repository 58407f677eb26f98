using System.Runtime.CompilerServices;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>Leases that are out for too long, or for ever.</summary>
public sealed class AbandonedTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Lease_Dropped_ItsPlaceComesBackWhileSomebodyWaits(bool async)
    {
        var pool = Pool(options =>
        {
            options.MaxSize = 1;
            options.RentTimeout = Timeout.InfiniteTimeSpan;
            options.CaptureRentStackTraces = true;
        });
        _ = Drop(pool, static lease => lease.Label);
        var rent = RentAsync(pool, async);

        await CollectUntilAsync(() => rent.IsCompleted);

        await using var lease = await rent;
        Assert.Equal(1, pool.GetStatistics().Abandoned);
        await Eventually.BecomesAsync(() => Log.Warnings.Any(), "the warning has come");
        var warning = Assert.Single(Log.Warnings);
        Assert.Contains("'dropped'", warning);
        Assert.Contains("AbandonedTests.cs:", warning);
        // The whole stack, as the options ask for it.
        Assert.Contains(nameof(RentAndForget), warning);
        await Eventually.BecomesAsync(async () => await BackendsAsync() == 1, "the dropped session is gone");
    }

    public static TheoryData<string> WhatIsKept => new("connection", "command", "transaction");

    [Theory]
    [MemberData(nameof(WhatIsKept))]
    public async Task Lease_DroppedButItsConnectionCanBeReached_IsLeftAlone(string kept)
    {
        var pool = Pool(options => options.LeaseWarningAfter = TimeSpan.FromMilliseconds(50));
        var reachable = Drop(pool, lease => kept switch
        {
            "command" => lease.CreateCommand("SELECT 1"),
            "transaction" => lease.Connection.BeginTransaction(),
            _ => lease.Connection,
        });

        for (var round = 0; round < 5; round++)
            Collect();
        // Whoever warns of this one has looked at the dropped one too.
        await using var later = await pool.RentAsync(new() { Label = "later" }, Stop);
        await Eventually.BecomesAsync(() => Log.Warnings.Any(warning => warning.Contains("'later'")), "maintenance has looked");

        Assert.Equal((2, 0L), (pool.GetStatistics().Leased, pool.GetStatistics().Abandoned));
        GC.KeepAlive(reachable);
    }

    [Fact]
    public async Task LeaseWarningAfter_LeaseHeldLonger_IsToldAndToldAgainWhenReturned()
    {
        var pool = Pool(options =>
        {
            options.LeaseWarningAfter = TimeSpan.FromMilliseconds(100);
            options.CaptureRentStackTraces = true;
        });
        var lease = await pool.RentAsync(new() { Label = "slow" }, Stop);
        await Eventually.BecomesAsync(() => Log.Warnings.Any(), "the warning has come");
        await lease.DisposeAsync();

        var warning = Assert.Single(Log.Warnings);
        Assert.Contains("'slow'", warning);
        Assert.Contains($"backend {lease.BackendProcessId}", warning);
        Assert.Contains(nameof(LeaseWarningAfter_LeaseHeldLonger_IsToldAndToldAgainWhenReturned), warning);
        Assert.Contains(Log.Entries, entry => entry.EventId == 1108 && entry.Message.Contains("'slow'"));
    }

    /// <summary>Rents, and keeps nothing but what is asked for. On a thread of its own, of whose stack nothing is left.</summary>
    private static object? Drop(ConnectionPool pool, Func<ConnectionLease, object?> keep)
    {
        object? kept = null;
        var thread = new Thread(() => kept = RentAndForget(pool, keep));
        thread.Start();
        thread.Join();
        return kept;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static object? RentAndForget(ConnectionPool pool, Func<ConnectionLease, object?> keep)
    {
        var lease = pool.Rent(new() { Label = "dropped" }, CancellationToken.None);
        using (var command = lease.CreateCommand("SELECT 1"))
            command.ExecuteScalar();
        return keep(lease);
    }

    private static Task CollectUntilAsync(Func<bool> condition) => Eventually.BecomesAsync(
        () =>
        {
            Collect();
            return condition();
        },
        "the dropped lease's place has come back");

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
