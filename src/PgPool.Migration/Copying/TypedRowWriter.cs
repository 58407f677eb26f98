using System.Text;
using Npgsql;
using NpgsqlTypes;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Copying;

/// <summary>Writes rows of values as the types of the target's columns.</summary>
/// <param name="importer">The COPY.</param>
/// <param name="partition">Whose rows they are made of.</param>
/// <param name="texts">The columns that have a second one, behind all, for values that come as text.</param>
/// <param name="observer">Is told what goes through.</param>
internal sealed class TypedRowWriter(
    NpgsqlBinaryImporter importer, Partition partition, IReadOnlyList<CopyColumn> texts, ICopyObserver observer)
{
    private readonly IReadOnlyList<CopyColumn> _columns = partition.Table.Written;
    private readonly Dictionary<CopyColumn, int> _positions = partition.Table.Written.Select(static (column, i) => (column, i)).ToDictionary();
    private int _unreportedBytes;

    public CopyTotals Totals { get; private set; }

    public int UnreportedRows { get; private set; }

    /// <exception cref="MigrationException">The row has another number of values than there are columns, or a value does not fit.</exception>
    public async ValueTask WriteAsync(object?[] row, SourceValues source, CancellationToken cancellationToken)
    {
        if (row is null || row.Length != _columns.Count)
        {
            throw Misfit($"A row has {row?.Length ?? 0} values, and {_columns.Count} columns are written: {string.Join(", ", _columns.Select(column => column.Name))}.");
        }

        await importer.StartRowAsync(cancellationToken).ConfigureAwait(false);
        var bytes = sizeof(short);
        for (var i = 0; i < row.Length; i++)
        {
            var value = row[i] is string && texts.Contains(_columns[i]) ? null : row[i];
            await WriteAsync(_columns[i], value, source, cancellationToken).ConfigureAwait(false);
            bytes += sizeof(int) + SizeOf(row[i]);
        }

        foreach (var text in texts)
            await importer.WriteAsync(row[_positions[text]] as string, NpgsqlDbType.Text, cancellationToken).ConfigureAwait(false);
        UnreportedRows++;
        _unreportedBytes += bytes;
        Totals = new CopyTotals(Totals.Rows + 1, Totals.Bytes + bytes);
    }

    public async ValueTask ReportAsync(CancellationToken cancellationToken)
    {
        var (bytes, rows) = (_unreportedBytes, UnreportedRows);
        (_unreportedBytes, UnreportedRows) = (0, 0);
        await observer.MovedAsync(bytes, rows, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask WriteAsync(CopyColumn column, object? value, SourceValues source, CancellationToken cancellationToken)
    {
        try
        {
            if (value is null or DBNull)
                await importer.WriteNullAsync(cancellationToken).ConfigureAwait(false);
            else if (source.Find(column, value) is { } raw)
                await importer.WriteAsync(raw, NpgsqlDbType.Bytea, cancellationToken).ConfigureAwait(false); // bytes go as they are, whatever they mean
            else
                await importer.WriteAsync(value, DriverTypes.NameOf(column.TargetType), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidCastException or NotSupportedException or ArgumentException or FormatException or OverflowException)
        {
            throw Misfit($"Column {column.Name} is {column.TargetType}: a {value!.GetType().Name} does not fit. {e.Message}", e);
        }
    }

    private MigrationException Misfit(string what, Exception? cause = null) => new(
        $"What was made of a row of {partition} does not fit {partition.Table.Target}. {what}", cause)
    {
        Table = partition.Table.Source,
        Partition = partition.Bounds,
    };

    // Npgsql does not tell what it has written: near enough for progress and throttle.
    private static int SizeOf(object? value) => value switch
    {
        null or DBNull => 0,
        string text => Encoding.UTF8.GetByteCount(text),
        byte[] bytes => bytes.Length,
        short or ushort => 2,
        int or uint or float or DateOnly => 4,
        bool or byte or sbyte => 1,
        Guid => 16,
        _ => 8,
    };
}
