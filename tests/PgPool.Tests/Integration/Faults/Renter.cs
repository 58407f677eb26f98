using PgPool.TestSupport;
using Xunit;

namespace PgPool.Tests.Integration.Faults;

/// <summary>Uses a pool, all in asynchronous or all in blocking calls.</summary>
internal sealed class Renter(ConnectionPool pool, bool async)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Starts a rent; for as long as it takes, unless a timeout is given.</summary>
    public Task<ConnectionLease> RentAsync(TimeSpan? timeout = null)
    {
        var options = new RentOptions { Timeout = timeout ?? Timeout.InfiniteTimeSpan };
        var token = Stop;
        var rent = async ? pool.RentAsync(options, token).AsTask() : Blocking.RunAsync(() => pool.Rent(options, token));
        return rent.WaitAsync(Eventually.Deadline, token);
    }

    public Task ReturnAsync(ConnectionLease lease) =>
        (async ? lease.DisposeAsync().AsTask() : Blocking.RunAsync(lease.Dispose)).WaitAsync(Eventually.Deadline, Stop);

    /// <summary>Asks the server for the number of the session, on the lease.</summary>
    public Task<int> AskAsync(ConnectionLease lease)
    {
        return (async ? AskServerAsync() : Blocking.RunAsync(AskServer)).WaitAsync(Eventually.Deadline, Stop);

        async Task<int> AskServerAsync()
        {
            await using var command = lease.CreateCommand("SELECT pg_backend_pid()");
            return (int)(await command.ExecuteScalarAsync(Stop))!;
        }

        int AskServer()
        {
            using var command = lease.CreateCommand("SELECT pg_backend_pid()");
            return (int)command.ExecuteScalar()!;
        }
    }

    /// <summary>Waits for a state of the pool.</summary>
    public Task<PoolStatistics> BecomesAsync(Func<PoolStatistics, bool> wanted, string what) =>
        Eventually.BecomesAsync(pool.GetStatistics, wanted, statistics => $"{what}: {statistics}");
}
