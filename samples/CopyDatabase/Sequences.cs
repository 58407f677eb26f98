using PgPool;

namespace CopyDatabase;

/// <summary>Sequences, which neither a COPY nor a snapshot carries over: without this the target's next insert takes a used key.</summary>
internal static class Sequences
{
    private const string Positions = """
        SELECT coalesce(string_agg(format('SELECT setval(%L, %s)', format('%I.%I', schemaname, sequencename), last_value), '; '), '')
        FROM pg_sequences WHERE last_value IS NOT NULL
        """;

    /// <summary>Moves the target's sequences to where the source's are now: past every key in the snapshot.</summary>
    public static async Task CopyAsync(ConnectionPool source, ConnectionPool target, CancellationToken cancellationToken)
    {
        await using var reader = await source.RentAsync(new() { Label = "sequences" }, cancellationToken);
        await using var writer = await target.RentAsync(new() { Label = "sequences" }, cancellationToken);
        var moves = await reader.QueryScalarAsync<string>(Positions, cancellationToken);
        if (moves.Length > 0)
            await writer.ExecuteAsync(moves, cancellationToken);
    }
}
