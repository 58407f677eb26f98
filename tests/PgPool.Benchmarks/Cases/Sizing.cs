using System.Diagnostics;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

/// <summary>How many connections are worth having. Nothing is claimed here, so there is neither a peer nor a bar.</summary>
internal sealed class Sizing : IBenchmark
{
    public const int Workers = 64;

    private static readonly (string Name, string Sql)[] Workloads =
    [
        ("SELECT 1", Work.Sql),
        ("2 ms of waiting", "SELECT pg_sleep(0.002)"),
        ("0.5 ms of computing", "SELECT count(*) FROM generate_series(1, 5000)"),
    ];

    public string Name => "sizing";

    public string What => $"{Workers} workers on pools of 1 to {Workers} connections, no session reset: where more of them bring no more";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        int[] sizes = context.Quick ? [1, 8] : [1, 2, 4, 8, 16, 32, 64];
        var duration = TimeSpan.FromMilliseconds(context.Count(200, 30));
        var points = new Dictionary<CurvePoint, List<double>>();
        // Whole curves one after another, so that what the machine does meanwhile meets all their points.
        for (var round = context.Count(5, 1); round > 0; round--)
        {
            foreach (var size in sizes)
            {
                await using var pool = new ConnectionPool(
                    Contestants.OurOptions(context.Server.ConnectionString, size, size, SessionReset.None));
                await pool.WarmUpAsync();
                foreach (var (name, sql) in Workloads)
                {
                    var point = new CurvePoint(name, size);
                    points.TryAdd(point, []);
                    points[point].Add(await MeasureAsync(pool, sql, duration));
                }
            }
        }
        return
        [
            .. from workload in Workloads
               from size in sizes
               let point = new CurvePoint(workload.Name, size)
               let what = $"op/s, {workload.Name}, {size} {(size == 1 ? "connection" : "connections")}"
               select new Finding(what, points[point].Median(), Point: point),
        ];
    }

    /// <returns>Operations per second.</returns>
    private static async Task<double> MeasureAsync(ConnectionPool pool, string sql, TimeSpan duration)
    {
        var start = Stopwatch.GetTimestamp();
        var done = await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(WorkAsync)));
        return done.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;

        async Task<int> WorkAsync()
        {
            var operations = 0;
            for (; Stopwatch.GetElapsedTime(start) < duration; operations++)
            {
                await using var lease = await pool.RentAsync();
                await using var command = lease.CreateCommand(sql);
                await command.ExecuteScalarAsync();
            }
            return operations;
        }
    }
}
