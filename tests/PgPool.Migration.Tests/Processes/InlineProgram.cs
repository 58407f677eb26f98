namespace PgPool.Migration.Tests.Processes;

/// <summary>A program whose thread that hears of the sockets also runs what waits for them, and that has one reader fail while another reads.</summary>
internal static class InlineProgram
{
    public const string Name = "inline-completions";

    /// <summary>Names the environment variable with the connection string.</summary>
    public const string ConnectionVariable = "PGPOOL_INLINE_CONNECTION";

    public static async Task<int> RunAsync()
    {
        // Before the first socket.
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        await using var pool = new ConnectionPool(Environment.GetEnvironmentVariable(ConnectionVariable)!);
        await using var snapshot = await pool.RentSnapshotAsync(2);
        try
        {
            await snapshot.ForEachAsync(
                ["SELECT pg_advisory_lock(42), pg_sleep(600)", "SELECT 1 / (1 - count(*)) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42"],
                static async (lease, sql, token) =>
                {
                    await using var command = lease.CreateCommand(sql);
                    while (true)
                        await command.ExecuteScalarAsync(token);
                });
        }
        catch (Npgsql.PostgresException exception)
        {
            Console.WriteLine(exception.SqlState);
        }

        return 0;
    }
}
