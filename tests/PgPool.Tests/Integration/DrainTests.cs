using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>Closing a pool whose leases are out, in every state in which a session can be.</summary>
public sealed class DrainTests(ServerFixture fixture) : ShutdownTest(fixture)
{
    public enum Use
    {
        None,
        Transaction,
        Statement,
        Reader,
        CopyIn,
        CopyOut,
    }

    public static MatrixTheoryData<Use, bool> Uses => new(Enum.GetValues<Use>(), [true, false]);

    [Theory]
    [MemberData(nameof(Uses))]
    public async Task Close_NoPatience_SeversTheLeaseAndItsReturnDoesNothing(Use use, bool async)
    {
        await LeavesNothingAsync(async pool =>
        {
            var lease = await pool.RentAsync(Stop);
            var running = await UseAsync(lease, use);

            await pool.CloseAsync(TimeSpan.Zero, Stop);

            await Eventually.BecomesAsync(async () => await BackendsAsync() == 0, "its session is gone");
            await ReturnAsync(lease, async);
            if (use == Use.Statement)
                await Assert.ThrowsAnyAsync<Exception>(() => running);
        });
    }

    [Theory]
    [MemberData(nameof(Uses))]
    public async Task Close_LeaseComesBackWithinTheDrain_EndsWithIt(Use use, bool async)
    {
        await LeavesNothingAsync(async pool =>
        {
            var lease = await pool.RentAsync(Stop);
            var closing = pool.CloseAsync(TimeSpan.FromMinutes(10), Stop);
            var running = await UseAsync(lease, use);
            Assert.False(closing.IsCompleted);

            await ReturnAsync(lease, async);

            await closing;
            if (use == Use.Statement)
                await Assert.ThrowsAnyAsync<Exception>(() => running);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_DrainCancelled_LeavesTheLeaseUsable(bool async)
    {
        await LeavesNothingAsync(async pool =>
        {
            var lease = await pool.RentAsync(Stop);
            using var impatience = new CancellationTokenSource();
            var closing = pool.CloseAsync(Timeout.InfiniteTimeSpan, impatience.Token);
            await impatience.CancelAsync();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => closing);

            Assert.Equal(1, await ScalarAsync<int>(lease, "SELECT 1"));
            await ReturnAsync(lease, async);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Close_SecondTimeWithLessPatience_SeversWhatTheFirstWaitsFor(bool async)
    {
        await LeavesNothingAsync(async pool =>
        {
            var lease = await pool.RentAsync(Stop);
            var patient = pool.CloseAsync(Timeout.InfiniteTimeSpan, Stop);

            await pool.CloseAsync(TimeSpan.Zero, Stop);

            await patient;
            await ReturnAsync(lease, async);
        });
    }

    /// <returns>What still runs.</returns>
    private static async Task<Task> UseAsync(ConnectionLease lease, Use use)
    {
        switch (use)
        {
            case Use.Transaction:
                await ExecuteAsync(lease, "BEGIN");
                break;
            case Use.Statement:
                return ExecuteAsync(lease, "SELECT pg_sleep(600)");
            case Use.Reader:
                var reader = await lease.CreateCommand("SELECT repeat('x', 1000) FROM generate_series(1, 100000)").ExecuteReaderAsync(Stop);
                await reader.ReadAsync(Stop);
                break;
            case Use.CopyIn:
                await ExecuteAsync(lease, "CREATE TEMPORARY TABLE t (i int)");
                await lease.Connection.BeginBinaryImportAsync("COPY t FROM STDIN (FORMAT binary)", Stop);
                break;
            case Use.CopyOut:
                await lease.Connection.BeginBinaryExportAsync("COPY (SELECT generate_series(1, 1000000)) TO STDOUT (FORMAT binary)", Stop);
                break;
        }
        return Task.CompletedTask;
    }
}
