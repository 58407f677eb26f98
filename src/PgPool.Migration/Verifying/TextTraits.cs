namespace PgPool.Migration.Verifying;

/// <summary>What the two servers have to agree on, so that the same row gives the same checksum.</summary>
/// <param name="TimeZone">The source session's, as a condition on the rows may go by it.</param>
/// <param name="DateStyle">Likewise.</param>
/// <param name="HashAlike">Whether both give a text the same hash.</param>
/// <param name="EncodeAlike">Whether both databases have the same encoding.</param>
internal sealed record TextTraits(string TimeZone, string DateStyle, bool HashAlike, bool EncodeAlike)
{
    // PostgreSQL promises of its hash functions that they are the same on one server only: the processor's byte order and the version
    // count.
    private static string Query(ConnectionLease lease) => $"""
        SELECT pg_catalog.current_setting('TimeZone'), pg_catalog.current_setting('DateStyle'), pg_catalog.getdatabaseencoding()::text,
               {(lease.HasFastHash() ? ServerDialect.FastHash("'Do these two servers hash alike?'") : "NULL::bigint")}
        """;

    public static async Task<TextTraits> ReadAsync(SnapshotGroup source, SnapshotGroup target, CancellationToken cancellationToken)
    {
        var (here, there) = (await ReadAsync(source, cancellationToken).ConfigureAwait(false), await ReadAsync(target, cancellationToken).ConfigureAwait(false));
        return new TextTraits(here.Zone, here.Dates, here.Hash is { } hash && hash == there.Hash, here.Encoding == there.Encoding);
    }

    private static async Task<(string Zone, string Dates, string Encoding, long? Hash)> ReadAsync(SnapshotGroup side, CancellationToken cancellationToken)
    {
        (string, string, string, long?) traits = default;
        await side.ForEachAsync([0], async (lease, _, token) =>
        {
            var command = lease.Command(Query(lease));
            await using (command.ConfigureAwait(false))
            {
                traits = (await command.QueryAsync(
                    static row => (row.GetString(0), row.GetString(1), row.GetString(2), row.GetFieldValue<long?>(3)), token).ConfigureAwait(false))[0];
            }
        }, cancellationToken).ConfigureAwait(false);
        return traits;
    }
}
