using PgPool.Migration.Catalogs;
using PgPool.Migration.Copying;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

public sealed class RelayTests(ServerFixture fixture) : RelayTest(fixture)
{
    [Theory]
    [InlineData(0, 21)] // the header and the trailer
    [InlineData(1, 21 + Row)]
    [InlineData(50000, 21 + 50000 * Row)]
    public async Task RunAsync_Binary_CountsRowsAndBytes(int rows, long bytes)
    {
        var observer = new RelayObserver();

        var totals = await RelayAsync(Rows(rows), observer: observer);

        Assert.Equal(new CopyTotals(rows, bytes), totals);
        Assert.Equal((bytes, rows), (observer.Bytes, observer.Rows));
        Assert.True(rows < 50000 || observer.Calls > 5, $"told only {observer.Calls} times");
        Assert.Equal(rows, await ScalarAsync<long>(To, "SELECT count(*) FROM t"));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 23)] // 1, a tab, 20 times x, a newline
    [InlineData(9, 9 * 23)]
    public async Task RunAsync_Text_CountsRowsAndBytes(int rows, long bytes)
    {
        var observer = new RelayObserver();

        var totals = await RelayAsync(Rows(rows), CopyFormat.Text, observer);

        Assert.Equal(new CopyTotals(rows, bytes), totals);
        Assert.Equal((bytes, rows), (observer.Bytes, observer.Rows));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_RowsLongerThanEveryBuffer_Arrive(bool isBinary)
    {
        const string Long = "SELECT i::bigint AS id, repeat(E'\\n\\t\\\\' || chr(8364) || i, 300000) AS note FROM generate_series(1, 3) i";

        var totals = await RelayAsync(Long, Format(isBinary));

        Assert.Equal(3, totals.Rows);
        var wanted = await ScalarAsync<string>(From, $"SELECT string_agg(md5(note), ' ' ORDER BY id) FROM ({Long}) t");
        Assert.Equal(wanted, await ScalarAsync<string>(To, "SELECT string_agg(md5(note), ' ' ORDER BY id) FROM t"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_RowsWithoutColumns_Arrive(bool isBinary)
    {
        await ExecuteAsync(To, "CREATE TEMP TABLE bare ()");

        var totals = await RelayAsync("SELECT FROM generate_series(1, 1000)", Format(isBinary), into: "bare");

        Assert.Equal(1000, totals.Rows);
        Assert.Equal(1000, await ScalarAsync<long>(To, "SELECT count(*) FROM bare"));
    }

    [Fact]
    public async Task RunAsync_ObserverHoldsUp_NextChunkWaits()
    {
        var isTold = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var observer = new RelayObserver(() =>
        {
            isTold.SetResult();
            return new(goOn.Task);
        });

        var relay = RelayAsync(Rows(1000000), observer: observer);
        await isTold.Task.WaitAsync(Stop);
        await OneBecomesAsync("wait_event = 'ClientWrite'"); // the source has filled what is between

        Assert.Equal((1, false), (observer.Calls, relay.IsCompleted));
        goOn.SetResult();
        Assert.Equal(1000000, (await relay).Rows);
    }

    [Fact]
    public async Task RunAsync_ObserverFails_BothSidesAreFree()
    {
        var observer = new RelayObserver(() => throw new NotSupportedException("by the observer"));

        var failure = await Assert.ThrowsAsync<NotSupportedException>(() => RelayAsync(Rows(100000), observer: observer));

        Assert.Equal("by the observer", failure.Message);
        await AssertFreeAsync(From);
        await AssertNothingArrivedAsync();
    }

    [Fact]
    public async Task RunAsync_Twice_OnTheSameLeases()
    {
        await RelayAsync(Rows(10));

        await RelayAsync("SELECT i::bigint, NULL FROM generate_series(11, 20) i", CopyFormat.Text);

        Assert.Equal(20, await ScalarAsync<long>(To, "SELECT count(*) FROM t"));
    }

    // The count of fields, two lengths, eight and twenty bytes.
    private const int Row = 2 + 4 + 4 + 8 + 20;
}
