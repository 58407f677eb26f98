using System.Diagnostics;
using Npgsql;

namespace PgPool.Benchmarks.Harness;

/// <summary>What most cases do with a connection, the same on both pools: borrow it, ask one thing, return it.</summary>
internal static class Work
{
    public const string Sql = "SELECT 1";

    /// <returns>How long it waited for the connection.</returns>
    public static async Task<TimeSpan> SelectOneAsync(ConnectionPool pool)
    {
        var start = Stopwatch.GetTimestamp();
        await using var lease = await pool.RentAsync();
        var waited = Stopwatch.GetElapsedTime(start);
        await using var command = lease.CreateCommand(Sql);
        await command.ExecuteScalarAsync();
        return waited;
    }

    /// <inheritdoc cref="SelectOneAsync(ConnectionPool)"/>
    public static async Task<TimeSpan> SelectOneAsync(NpgsqlDataSource peer, CancellationToken cancellationToken = default)
    {
        var start = Stopwatch.GetTimestamp();
        await using var connection = await peer.OpenConnectionAsync(cancellationToken);
        var waited = Stopwatch.GetElapsedTime(start);
        await using var command = new NpgsqlCommand(Sql, connection);
        await command.ExecuteScalarAsync(cancellationToken);
        return waited;
    }

    /// <summary>The same, blocking.</summary>
    public static void SelectOne(ConnectionPool pool)
    {
        using var lease = pool.Rent();
        using var command = lease.CreateCommand(Sql);
        command.ExecuteScalar();
    }

    /// <inheritdoc cref="SelectOne(ConnectionPool)"/>
    public static void SelectOne(NpgsqlDataSource peer)
    {
        using var connection = peer.OpenConnection();
        using var command = new NpgsqlCommand(Sql, connection);
        command.ExecuteScalar();
    }
}
