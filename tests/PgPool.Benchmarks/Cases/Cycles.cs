using Npgsql;

namespace PgPool.Benchmarks.Cases;

/// <summary>Borrowing and returning and nothing else. Spelled out four times: at 100 ns, a delegate in between would show.</summary>
internal static class Cycles
{
    public const int PoolSize = 8;

    public static async Task OursAsync(ConnectionPool pool, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await using var lease = await pool.RentAsync();
        }
    }

    public static async Task PeerAsync(NpgsqlDataSource peer, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await using var connection = await peer.OpenConnectionAsync();
        }
    }

    public static void Ours(ConnectionPool pool, int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var lease = pool.Rent();
        }
    }

    public static void Peer(NpgsqlDataSource peer, int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var connection = peer.OpenConnection();
        }
    }
}
