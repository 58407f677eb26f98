using Npgsql;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Copying;

/// <summary>Reads rows, has the caller's code make other rows of each, and writes those by binary COPY.</summary>
internal sealed class TransformCopier<TSource>(Func<NpgsqlDataReader, TSource> read, Func<TSource, IEnumerable<object?[]>> map) : ISliceCopier
{
    // Rows between two reports, each of which may wait for the throttle.
    private const int ReportedRows = 256;

    public bool LinesAreRows => false;

    public async Task<CopyTotals> CopyAsync(
        ConnectionLease source, ConnectionLease target, Partition partition, string condition, ICopyObserver observer, CancellationToken cancellationToken)
    {
        var table = partition.Table;
        var texts = await UnreadableColumns.FindAsync(source, partition, condition, cancellationToken).ConfigureAwait(false);
        var destination = new CopyDestination(table, target, takesText: texts is not null);
        await destination.BeginAsync(cancellationToken).ConfigureAwait(false);
        var importer = await target.Connection.BeginBinaryImportAsync(destination.CopyFrom("BINARY"), cancellationToken).ConfigureAwait(false);
        var writer = new TypedRowWriter(importer, partition, destination.Texts, observer);
        await using (importer.ConfigureAwait(false))
        {
            importer.Timeout = TimeSpan.Zero;
            var reads = string.Join(", ", table.Columns.Select(column => column.Read));
            var select = source.Command($"SELECT {reads} FROM {partition.From} WHERE {condition}");
            select.UnknownResultTypeList = texts;
            await using (select.ConfigureAwait(false))
            {
                var reader = await select.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    var values = new SourceValues(reader, table.Columns, texts);
                    while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    {
                        foreach (var row in Map(reader, partition, texts))
                            await writer.WriteAsync(row, values, cancellationToken).ConfigureAwait(false);
                        if (writer.UnreportedRows >= ReportedRows)
                            await writer.ReportAsync(cancellationToken).ConfigureAwait(false);
                    }
                }
            }

            await importer.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }

        await writer.ReportAsync(cancellationToken).ConfigureAwait(false);
        await destination.EndAsync(cancellationToken).ConfigureAwait(false);
        return writer.Totals;
    }

    // What the caller's code throws is no failure of a database: it is not tried again.
    private IReadOnlyList<object?[]> Map(NpgsqlDataReader reader, Partition partition, bool[]? texts)
    {
        try
        {
            return [.. map(read(reader))];
        }
        catch (Exception e) when (e is not (NpgsqlException or OperationCanceledException))
        {
            var names = partition.Table.Columns.Where((_, i) => texts is not null && texts[i]).Select(static column => column.Name).ToList();
            var hint = names.Count == 0 ? "" : $" ({Sql.Names(names)} is handed out as text here, as it has values that .NET has none for.)";
            throw new MigrationException($"A row of {partition} could not be transformed: the caller's code has thrown {e.GetType().Name}: {e.Message}{hint}", e)
            {
                Table = partition.Table.Source,
                Partition = partition.Bounds,
            };
        }
    }
}
