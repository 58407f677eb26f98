using System.Collections.Concurrent;
using System.Numerics;
using PgPool;

namespace CopyDatabase;

/// <summary>Reads both databases once more, the source in the copy's snapshot, and compares each table.</summary>
internal static class Verification
{
    // What the text of a value depends on, besides the value. Like the copy's settings, these end with the lease.
    private const string TextSettings = """
        SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'UTC'; SET bytea_output = 'hex';
        SET extra_float_digits = 1; SET lc_monetary = 'C'; SET search_path = ''
        """;

    /// <summary>The names of the tables that differ.</summary>
    public static async Task<IReadOnlyCollection<string>> FindDifferencesAsync(
        ConnectionPool source, ConnectionPool target, SourceSnapshot snapshot, int workers, CancellationToken cancellationToken)
    {
        var different = new ConcurrentBag<string>();
        await target.ForEachAsync(snapshot.Tables, workers, async (there, table, token) =>
        {
            // For ever: where the server grants fewer connections than the pool may have, another worker's table comes first.
            var options = new RentOptions { Label = $"verify {table.Name}", Timeout = Timeout.InfiniteTimeSpan };
            await using var here = await source.RentAsync(options, token);
            await using var reading = await snapshot.BeginAsync(here, token);
            var sums = await Task.WhenAll(SumAsync(here, table, token), SumAsync(there, table, token));

            // What the relay counted must agree as well: three counts from three places.
            if (sums[0] != sums[1] || sums[0].Rows != table.Progress.Rows)
                different.Add(table.Name);
        }, cancellationToken);
        return different;
    }

    // A sum of hashes is the same in whichever order the rows lie. md5 because every version of PostgreSQL computes it alike, which it does
    // not promise of its own hash functions.
    private static async Task<(long Rows, BigInteger Sum)> SumAsync(ConnectionLease lease, Table table, CancellationToken cancellationToken)
    {
        var columns = string.Join(", ", table.Columns.Select(column => column.Name));
        await using var command = lease.CreateCommand($"""
            {TextSettings};
            SELECT count(*), coalesce(sum(('x' || left(md5(ROW({columns})::text), 16))::bit(64)::bigint), 0) FROM ONLY {table.Name}
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(0), reader.GetFieldValue<BigInteger>(1));
    }
}
