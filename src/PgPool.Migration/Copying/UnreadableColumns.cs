using System.Buffers.Binary;
using Npgsql;
using Npgsql.PostgresTypes;
using NpgsqlTypes;
using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;

namespace PgPool.Migration.Copying;

/// <summary>Finds the columns of a partition that have values for which .NET has none: these are handed out as PostgreSQL's text.</summary>
/// <remarks>
/// A numeric of a hundred digits or NaN, a date before Christ, an interval with months, an array with NULLs, a composite: the driver throws, or reads
/// another value. Whether it does is asked of itself, value by value; the server leaves out what is sure to go well.
/// </remarks>
internal static class UnreadableColumns
{
    private static readonly HashSet<string> Readable =
    [
        "boolean", "smallint", "integer", "bigint", "oid", "real", "double precision", "money", "text", "character varying", "character", "bpchar", "name",
        "uuid", "bytea", "json", "jsonb", "xml", "\"char\"",
    ];

    // Microseconds from 2000 on: the years 1 to 9999.
    private const long First = -63_082_281_600_000_000;
    private const long Last = 252_455_615_999_999_999;

    /// <returns>For each column whether it is to be read as text; null where none is.</returns>
    public static async Task<bool[]?> FindAsync(ConnectionLease source, Partition partition, string condition, CancellationToken cancellationToken)
    {
        var columns = partition.Table.Columns;
        List<int> doubtful = [.. Enumerable.Range(0, columns.Count).Where(i => !Readable.Contains(TypeOf(columns[i])))];
        if (doubtful.Count == 0)
            return null;
        var found = new bool[columns.Count];
        var reads = string.Join(", ", doubtful.Select(i => columns[i].Read));
        var filter = string.Join(" OR ", doubtful.Select(i => Doubt(columns[i])));
        var command = source.Command($"SELECT {reads} FROM {partition.From} WHERE {condition} AND ({filter})");
        await using (command.ConfigureAwait(false))
        {
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    for (var i = 0; i < doubtful.Count; i++)
                        found[doubtful[i]] |= !reader.IsDBNull(i) && !IsReadable(reader, i);
                }
            }
        }

        return found.Contains(true) ? found : null;
    }

    // Without a length: "numeric(10,2)", "timestamp(0) without time zone".
    private static string TypeOf(CopyColumn column)
    {
        var type = column.TargetType;
        var open = type.IndexOf('(', StringComparison.Ordinal);
        var close = open < 0 ? -1 : type.IndexOf(')', open);
        return close < 0 ? type : type.Remove(open, close - open + 1);
    }

    // True of every value that may be none of .NET's.
    private static string Doubt(CopyColumn column)
    {
        var value = Sql.Name(column.Name);
        return TypeOf(column) switch
        {
            "timestamp without time zone" or "timestamp with time zone" or "date" =>
                $"(pg_catalog.isfinite({value}) AND ({value} < '0001-01-03' OR {value} >= '9999-12-30'))",
            "numeric" => $"({value} IS NOT NULL AND NOT coalesce(pg_catalog.abs({value}) < 1e15 AND pg_catalog.scale({value}) <= 12, false))",
            "time without time zone" => $"({value} >= '23:59:59.999999')",

            // A composite of NULLs IS NULL, and is none.
            _ => $"pg_catalog.num_nonnulls({value}) > 0",
        };
    }

    private static bool IsReadable(NpgsqlDataReader reader, int column)
    {
        try
        {
            var value = reader.GetValue(column);

            // What PostgreSQL sends of an empty query, it does not accept.
            return value switch
            {
                NpgsqlTsQueryEmpty => false,
                DateTime => IsInRange(reader, column),
                Array when reader.GetPostgresType(column) is PostgresArrayType { Element.Namespace: not "pg_catalog" } => BeginsAtOne(reader, column),
                _ => true,
            };
        }
        catch (Exception e) when (e is not NpgsqlException)
        {
            return false;
        }
    }

    // .NET's arrays do not tell where one begins, and one of a database's own types is not sent as it came.
    private static bool BeginsAtOne(NpgsqlDataReader reader, int column)
    {
        using var stream = reader.GetStream(column);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var dimensions = BinaryPrimitives.ReadInt32BigEndian(bytes);
        return Enumerable.Range(0, dimensions).All(i => BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(16 + (8 * i))) == 1);
    }

    // What is beyond the year 9999 is read as another time, without an error.
    private static bool IsInRange(NpgsqlDataReader reader, int column)
    {
        using var stream = reader.GetStream(column);
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        if (stream.Length != bytes.Length)
            return true;
        stream.ReadExactly(bytes);
        return BinaryPrimitives.ReadInt64BigEndian(bytes) is (>= First and <= Last) or long.MinValue or long.MaxValue;
    }
}
