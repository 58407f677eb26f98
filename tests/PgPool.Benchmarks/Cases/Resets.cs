using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

/// <summary>The cost model: what is to be paid for each way of resetting a session. Nothing is claimed, so there is neither a peer nor a bar.</summary>
internal sealed class Resets : IBenchmark
{
    private static readonly Cost[] Costs =
    [
        new("none", SessionReset.None),
        new("rollback only", SessionReset.RollbackOnly),
        new("full", SessionReset.Full),
        new("full, with a prepared statement", SessionReset.Full, IsPrepared: true),
    ];

    public string Name => "resets";

    public string What => "borrow, SELECT 1, return on a pool of one connection, for each way of resetting the session";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var count = context.Count(1_000, 50);
        var figures = new Dictionary<string, List<double>>();
        // All of them one after another, again and again, so that what the machine does meanwhile meets all.
        for (var round = context.Count(-3, 0); round < context.Count(15, 1); round++)
        {
            foreach (var cost in Costs)
            {
                await using var pool = await StartAsync(context, cost);
                Add(round, $"µs, {cost.Name}", await Sample.PerOperationAsync(count, () => CycleAsync(pool, count)));
                Add(round, $"µs, {cost.Name}, blocking", await Sample.PerOperationAsync(count, () => CycleBlocking(pool, count)));
            }
        }
        return [.. figures.Select(static figure => new Finding(figure.Key, figure.Value.Median()))];

        void Add(int round, string what, Sample sample)
        {
            if (round < 0)
                return;
            figures.TryAdd(what, []);
            figures[what].Add(sample.Microseconds);
        }
    }

    private static async Task<ConnectionPool> StartAsync(BenchmarkContext context, Cost cost)
    {
        var pool = new ConnectionPool(Contestants.OurOptions(context.Server.ConnectionString, 1, 1, cost.Reset));
        await using var lease = await pool.RentAsync();
        await using var command = lease.CreateCommand(Work.Sql);
        if (cost.IsPrepared)
            await command.PrepareAsync();
        await command.ExecuteScalarAsync();
        return pool;
    }

    // With one connection the next rent waits for the reset: its whole cost shows, and nothing is done beside it.
    private static async Task CycleAsync(ConnectionPool pool, int count)
    {
        for (var i = 0; i < count; i++)
            await Work.SelectOneAsync(pool);
    }

    private static Task CycleBlocking(ConnectionPool pool, int count)
    {
        for (var i = 0; i < count; i++)
            Work.SelectOne(pool);
        return Task.CompletedTask;
    }

    private sealed record Cost(string Name, SessionReset Reset, bool IsPrepared = false);
}
