using PgPool.Migration.Catalogs;
using PgPool.Migration.Copying;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

public sealed class RelayCancellationTests(ServerFixture fixture) : RelayTest(fixture)
{
    private readonly CancellationTokenSource _cancel = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_CancelledUnderWay_BothSidesAreFree(bool isBinary)
    {
        var observer = new RelayObserver(() => new(_cancel.CancelAsync()));

        var relay = RelayAsync(Rows(3000000), Format(isBinary), observer, cancellationToken: _cancel.Token);

        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => relay);
        Assert.Equal(_cancel.Token, cancelled.CancellationToken);
        await AssertFreeAsync(From);
        await AssertNothingArrivedAsync();
    }

    [Fact]
    public async Task RunAsync_CancelledWhileSourceIsSlow_BothSidesAreFree()
    {
        // The first rows fill the server's buffer, so that the COPY begins.
        var relay = RelayAsync("SELECT i::bigint, repeat('x', 10000) || pg_sleep(i - 1) FROM generate_series(1, 100) i", cancellationToken: _cancel.Token);
        await OneBecomesAsync("wait_event = 'PgSleep'");

        await AssertCancelsAsync(relay);

        await AssertFreeAsync(From);
        await AssertNothingArrivedAsync();
    }

    [Fact]
    public async Task RunAsync_CancelledWhileThrottled_BothSidesAreFree()
    {
        var isTold = new TaskCompletionSource();
        var observer = new RelayObserver(() =>
        {
            isTold.SetResult();
            return new(Task.Delay(Timeout.Infinite, _cancel.Token));
        });
        var relay = RelayAsync(Rows(300000), observer: observer, cancellationToken: _cancel.Token);
        await isTold.Task.WaitAsync(Stop);

        await AssertCancelsAsync(relay);

        await AssertFreeAsync(From);
        await AssertNothingArrivedAsync();
    }

    [Fact]
    public async Task RunAsync_CancelledWhileTargetWaitsForARow_NoBackendIsLeft()
    {
        await using var rival = await Target.RentAsync(Stop);
        await ExecuteAsync(rival, "BEGIN; INSERT INTO t VALUES (5)");
        var relay = RelayAsync(Rows(10), cancellationToken: _cancel.Token);
        await OneBecomesAsync("wait_event_type = 'Lock'");

        await AssertCancelsAsync(relay);

        await AssertFreeAsync(From);
        await ReturnAsync();
        await NoneIsActiveAsync("wait_event_type = 'Lock'");
        await ExecuteAsync(rival, "ROLLBACK");
        Assert.Equal(0, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task RunAsync_CancelledBeforehand_TouchesNothing()
    {
        await _cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RelayAsync("SELECT nothing", cancellationToken: _cancel.Token));

        Assert.Equal(1, await ScalarAsync<int>(From, "SELECT 1"));
        Assert.Equal(1, await ScalarAsync<int>(To, "SELECT 1"));
    }

    [Fact]
    public async Task RunAsync_CancelledAndSourceIsDeaf_ReturnsWithoutIt()
    {
        await using var proxy = FaultProxy.InFrontOf(Server.ConnectionString);
        await using var pool = Pool(proxy.ConnectionStringFor(SourceConnection), 1);
        await using var source = await pool.RentAsync(Stop);
        var observer = new RelayObserver(() =>
        {
            proxy.Mode = FaultMode.Deaf;
            return default;
        });
        var relay = CopyRelay.RunAsync(
            source.Connection, $"COPY ({Rows(3000000)}) TO STDOUT (FORMAT BINARY)", To.Connection, "COPY t FROM STDIN (FORMAT BINARY)",
            CopyFormat.Binary, observer, _cancel.Token);
        await Eventually.BecomesAsync(() => proxy.Mode == FaultMode.Deaf, "the first chunk has gone");

        await AssertCancelsAsync(relay);

        await AssertNothingArrivedAsync();
        proxy.Mode = FaultMode.Pass;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _cancel.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task AssertCancelsAsync(Task relay)
    {
        Assert.False(relay.IsCompleted);
        await _cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => relay.WaitAsync(Eventually.Deadline, Stop));
    }
}
