using PgPool.Migration.Catalogs;
using PgPool.Migration.Copying;
using PgPool.Migration.Running;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

public sealed class RelayFailureTests(ServerFixture fixture) : RelayTest(fixture)
{
    private const int Many = 300000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_TargetRefusesRow_TellsLineAndFreesBoth(bool isBinary)
    {
        var failure = await Assert.ThrowsAsync<CopyFailedException>(
            () => RelayAsync($"SELECT CASE WHEN i = 77777 THEN 1 ELSE i END::bigint, 'x' FROM generate_series(1, {Many}) i", Format(isBinary)));

        Assert.Equal((CopySide.Target, "23505"), (failure.Side, RefusalOf(failure).SqlState));
        Assert.Contains("line 77777", RefusalOf(failure).Where);
        await AssertFreeAsync(From);
        await AssertNothingArrivedAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(200000)]
    public async Task RunAsync_SourceFails_TellsAndFreesBoth(int at)
    {
        var failure = await Assert.ThrowsAsync<CopyFailedException>(
            () => RelayAsync($"SELECT 1 / (i - {at}) * 0 + i::bigint, 'x' FROM generate_series(1, {Many}) i"));

        Assert.Equal((CopySide.Source, "22012"), (failure.Side, RefusalOf(failure).SqlState));
        await AssertFreeAsync(From);
        await AssertNothingArrivedAsync();
    }

    [Fact]
    public async Task RunAsync_NeitherStatementIsValid_TellsAndFreesBoth()
    {
        Assert.Equal(CopySide.Source, (await Assert.ThrowsAsync<CopyFailedException>(() => RelayAsync("SELECT nothing"))).Side);
        await AssertFreeAsync(From);
        await AssertFreeAsync(To);
        Assert.Equal(CopySide.Target, (await Assert.ThrowsAsync<CopyFailedException>(() => RelayAsync(Rows(Many), into: "nowhere"))).Side);
        await AssertFreeAsync(From);
        await AssertNothingArrivedAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_BackendIsTerminated_TellsWhichAndFreesTheOther(bool isSource)
    {
        var (victim, other) = isSource ? (From, To) : (To, From);
        var observer = new RelayObserver(
            async () => Assert.Equal(1, await Server.TerminateAsync(victim.BackendProcessId)));

        var failure = await Assert.ThrowsAsync<CopyFailedException>(() => RelayAsync(Rows(Many), observer: observer));

        Assert.Equal(isSource ? CopySide.Source : CopySide.Target, failure.Side);
        Assert.Equal(FailureKind.Transient, Failures.Classify(failure));
        Assert.NotEqual(System.Data.ConnectionState.Open, victim.Connection.FullState);
        await AssertFreeAsync(other);
        await AssertNothingArrivedAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_StatementTimeout_TellsWhichAndFreesBoth(bool isSource)
    {
        await ExecuteAsync(isSource ? From : To, "SET LOCAL statement_timeout = '500ms'");
        var slow = isSource ? "SELECT 1::bigint, pg_sleep(100)::text" : "SELECT i::bigint, pg_sleep(i)::text FROM generate_series(0, 1) i";

        var failure = await Assert.ThrowsAsync<CopyFailedException>(() => RelayAsync(slow));

        Assert.Equal((isSource ? CopySide.Source : CopySide.Target, "57014"), (failure.Side, RefusalOf(failure).SqlState));
        Assert.Equal(FailureKind.TimedOut, Failures.Classify(failure));
        await AssertFreeAsync(From);
        await AssertNothingArrivedAsync();
    }

    [Fact]
    public async Task RunAsync_StreamEndsBetweenTwoRows_NothingIsCommitted()
    {
        await using var thief = new TrailerThief(Server.ConnectionString);
        await using var cut = await Unpooled.OpenAsync(thief.ConnectionStringFor(SourceConnection));

        var failure = await Assert.ThrowsAsync<CopyFailedException>(() => CopyRelay.RunAsync(
            cut, $"COPY ({Rows(1000)}) TO STDOUT (FORMAT BINARY)", To.Connection, "COPY t FROM STDIN (FORMAT BINARY)", CopyFormat.Binary,
            SilentObserver.Instance, Stop));

        Assert.Equal(1, thief.Stolen);
        Assert.Equal(CopySide.Source, failure.Side);
        Assert.Contains("breaks off after 1000 rows", failure.Message);
        await AssertNothingArrivedAsync();
    }
}
