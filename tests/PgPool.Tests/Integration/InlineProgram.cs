using Npgsql;

namespace PgPool.Tests.Integration;

/// <summary>A program whose thread that hears of the sockets also runs what waits for them, and that has a worker fail while another is at work.</summary>
internal static class InlineProgram
{
    public const string Name = "inline-completions";

    /// <summary>Names the environment variable with the connection string.</summary>
    public const string ConnectionVariable = "PGPOOL_INLINE_CONNECTION";

    public static async Task<int> RunAsync()
    {
        // Before the first socket.
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        await using var pool = new ConnectionPool(Environment.GetEnvironmentVariable(ConnectionVariable)
            ?? throw new InvalidOperationException($"{ConnectionVariable} is not set."));
        try
        {
            await pool.ForEachAsync([true, false], degree: 2, FailOrSleepAsync);
        }
        catch (PostgresException exception)
        {
            Console.WriteLine(exception.SqlState);
        }

        return 0;
    }

    /// <summary>Fails when the other one sleeps; the other sleeps until it is cancelled.</summary>
    public static async ValueTask FailOrSleepAsync(ConnectionLease lease, bool fails, CancellationToken cancellationToken)
    {
        if (!fails)
        {
            await using var sleep = lease.CreateCommand("SELECT pg_sleep(600)");
            await sleep.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var look = lease.CreateCommand(
            "SELECT 1 / (1 - count(*)) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep' AND pid <> pg_backend_pid()");
        while (true)
            await look.ExecuteScalarAsync(cancellationToken);
    }
}
