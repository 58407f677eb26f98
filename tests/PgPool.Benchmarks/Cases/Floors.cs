using Npgsql;
using PgPool.Benchmarks.Harness;

namespace PgPool.Benchmarks.Cases;

/// <summary>
/// What no pool could do better on this machine that resets a session when it comes back: the other cases' work on bare connections, in a loop each, with
/// no rent, no queue and no return. Against Npgsql's pool, whose reset costs no round trip.
/// </summary>
internal sealed class Floors : IBenchmark
{
    private const int Connections = 8;
    private const int Workers = 32;

    public string Name => "floors";

    public string What => "the work of select1, load and foreach on bare connections, without any pool: what bounds the other cases";

    public async Task<IReadOnlyList<Finding>> RunAsync(BenchmarkContext context)
    {
        var count = context.Count(4_800, 320);
        await using var pools = await context.StartAsync(Connections);
        await using var bare = Contestants.CreatePeer(context.Server.ConnectionString, Connections, Connections, SessionReset.None);
        var connections = await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => bare.OpenConnectionAsync().AsTask()));
        try
        {
            var select1 = await context.CompareAsync(rounds: 15,
                () => Sample.PerOperationAsync(count, () => OverlapAsync(connections, count)),
                () => Sample.PerOperationAsync(count, () => RentAsync(pools.Peer, workers: 1, count)));
            var load = await context.CompareAsync(rounds: 15,
                () => Sample.PerOperationAsync(count, () => LoopAsync(connections, count, SelectAndResetAsync)),
                () => Sample.PerOperationAsync(count, () => RentAsync(pools.Peer, Workers, count)));
            var forEach = await context.CompareAsync(rounds: 15,
                () => Sample.PerOperationAsync(count, () => LoopAsync(connections, count, SelectAsync)),
                () => Sample.PerOperationAsync(count, () => RentAsync(pools.Peer, Connections, count)));
            return
            [
                select1.Compare("µs, select1: resets beside the next SELECT 1, on another connection", static sample => sample.Microseconds),
                load.Compare("op/s, load: a SELECT 1 and a reset in turn, on each connection", static sample => 1_000_000 / sample.Microseconds),
                forEach.Compare("µs, foreach: SELECT 1 after SELECT 1, on each connection", static sample => sample.Microseconds),
            ];
        }
        finally
        {
            foreach (var connection in connections)
                await connection.DisposeAsync();
        }
    }

    private static async Task OverlapAsync(NpgsqlConnection[] connections, int count)
    {
        var resets = new Task[connections.Length];
        Array.Fill(resets, Task.CompletedTask);
        for (var i = 0; i < count; i++)
        {
            var connection = connections[i % connections.Length];
            await resets[i % resets.Length];
            await SelectAsync(connection);
            // On the thread pool, as begun here it would hold up the next SELECT 1.
            resets[i % resets.Length] = Task.Run(() => ResetAsync(connection));
        }
        await Task.WhenAll(resets);
    }

    private static Task LoopAsync(NpgsqlConnection[] connections, int count, Func<NpgsqlConnection, Task> operation) =>
        Task.WhenAll(connections.Select(connection => Task.Run(async () =>
        {
            for (var i = 0; i < count / Connections; i++)
                await operation(connection);
        })));

    private static Task RentAsync(NpgsqlDataSource peer, int workers, int count) =>
        Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < count / workers; i++)
                await Work.SelectOneAsync(peer);
        })));

    private static async Task SelectAndResetAsync(NpgsqlConnection connection)
    {
        await SelectAsync(connection);
        await ResetAsync(connection);
    }

    private static Task SelectAsync(NpgsqlConnection connection) => ExecuteAsync(connection, Work.Sql);

    private static Task ResetAsync(NpgsqlConnection connection) => ExecuteAsync(connection, "DISCARD ALL");

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteScalarAsync();
    }
}
