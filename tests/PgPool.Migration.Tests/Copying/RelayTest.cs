using Npgsql;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Copying;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

/// <summary>A test of the relay alone, between a lease of each pool that is in a transaction.</summary>
public abstract class RelayTest(ServerFixture fixture) : MigrationTest(fixture)
{
    protected const string Table = "CREATE TABLE t (id bigint PRIMARY KEY, note text)";

    protected ConnectionLease From { get; private set; } = null!;

    protected ConnectionLease To { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await OnTargetAsync(Table);
        (From, To) = (await Source.RentAsync(Stop), await Target.RentAsync(Stop));
        await ExecuteAsync(From, "BEGIN");
        await ExecuteAsync(To, "BEGIN");
    }

    public override async ValueTask DisposeAsync()
    {
        await ReturnAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task ReturnAsync()
    {
        await From.DisposeAsync();
        await To.DisposeAsync();
    }

    protected static string Rows(int count) => $"SELECT i::bigint, repeat('x', 20) FROM generate_series(1, {count}) i";

    // The package's enum is its own business: not for the signature of a test.
    private protected static CopyFormat Format(bool isBinary) => isBinary ? CopyFormat.Binary : CopyFormat.Text;

    private protected Task<CopyTotals> RelayAsync(
        string select, CopyFormat format = CopyFormat.Binary, ICopyObserver? observer = null, string into = "t", CancellationToken? cancellationToken = null) =>
        CopyRelay.RunAsync(
            From.Connection, $"COPY ({select}) TO STDOUT (FORMAT {format})", To.Connection, $"COPY {into} FROM STDIN (FORMAT {format})", format,
            observer ?? SilentObserver.Instance, cancellationToken ?? Stop).WaitAsync(Eventually.Deadline, Stop);

    /// <summary>The relay left the lease fit for what its owner does next.</summary>
    protected static async Task AssertFreeAsync(ConnectionLease lease)
    {
        await ExecuteAsync(lease, "ROLLBACK");
        Assert.Equal(1, await ScalarAsync<int>(lease, "SELECT 1"));
    }

    /// <summary>Nothing of the COPY arrived, nor does it ever.</summary>
    protected async Task AssertNothingArrivedAsync()
    {
        if (To.Connection.FullState == System.Data.ConnectionState.Open)
            await AssertFreeAsync(To);
        Assert.Equal(0, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    protected Task NoneIsActiveAsync() => NoneIsActiveAsync("state <> 'idle'");

    protected Task NoneIsActiveAsync(string state) => Eventually.BecomesAsync(
        () => Server.ScalarAsync<bool>($"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 AND {state})", ApplicationName),
        $"no session has {state}");

    /// <summary>Returns when a session of this test is in that state.</summary>
    protected Task OneBecomesAsync(string state) => Eventually.BecomesAsync(
        () => Server.ScalarAsync<bool>($"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1 AND {state})", ApplicationName),
        $"a session has {state}");

    private protected static PostgresException RefusalOf(CopyFailedException failure) => Assert.IsType<PostgresException>(failure.InnerException);
}
