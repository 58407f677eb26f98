using System.Collections;
using Npgsql;
using NpgsqlTypes;
using PgPool.Migration.Catalogs;

namespace PgPool.Migration.Copying;

/// <summary>The source's values of the row that a reader stands on, as they came over the wire.</summary>
/// <remarks>
/// The rule: a value that the caller hands back as the reader gave it goes to the target as the source has it. .NET has one value for several of
/// PostgreSQL's (0001-01-01 and -infinity, 24:00:00 and 1 day, an address with and without its net, an array whatever it begins at), and some that the
/// driver reads as another. So what is written is not made of the .NET value where there is a source's value of the same type that reads like it.
/// </remarks>
internal sealed class SourceValues
{
    // What .NET has exactly one value for, and the driver one way to read: nothing is to be found out.
    private static readonly HashSet<string> Exact =
    [
        "boolean", "smallint", "integer", "bigint", "oid", "real", "double precision", "numeric", "money", "text", "character varying", "character",
        "name", "uuid", "bytea", "json", "jsonb", "xml", "time without time zone",
    ];

    private readonly NpgsqlDataReader _reader;
    private readonly IReadOnlyList<CopyColumn> _columns;
    private readonly string?[] _types;

    /// <param name="reader">On no row yet.</param>
    /// <param name="columns">What it reads.</param>
    /// <param name="texts">Which of them come as text, and are none of these values; null: none.</param>
    public SourceValues(NpgsqlDataReader reader, IReadOnlyList<CopyColumn> columns, bool[]? texts)
    {
        _reader = reader;
        _columns = columns;
        _types = [.. Enumerable.Range(0, reader.FieldCount).Select(i => texts is not null && texts[i] ? null : TypeOf(i))];
    }

    /// <summary>What the source sent for a value that was handed back.</summary>
    /// <param name="column">The target's column.</param>
    /// <param name="value">What the caller gave for it.</param>
    /// <returns>Null where it is none of the row's values.</returns>
    /// <exception cref="FormatException">Several that differ are read as this value, and none is of a column of this name.</exception>
    public byte[]? Find(CopyColumn column, object value)
    {
        var type = DriverTypes.NameOf(column.TargetType);
        if (Exact.Contains(type))
            return null;
        byte[]? found = null;
        foreach (var i in Candidates(column, type))
        {
            if (_reader.IsDBNull(i) || !IsReadAs(i, value))
                continue;
            var raw = Raw(i);
            if (_columns[i].Name == column.Name)
                return raw;
            if (found is not null && !found.AsSpan().SequenceEqual(raw))
            {
                throw new FormatException(
                    "The row has several values of this type that .NET has one value for, and this may be any of them: give the target's column the name of the "
                    + "source's, or read them as another type.");
            }

            found = raw;
        }

        return found;
    }

    // That of the same name first.
    private IEnumerable<int> Candidates(CopyColumn column, string type) => Enumerable.Range(0, _types.Length)
        .Where(i => _types[i] == type).OrderBy(i => _columns[i].Name == column.Name ? 0 : 1);

    // As format_type prints it; null where its binary form may be another one at the target.
    private string? TypeOf(int column)
    {
        var type = _reader.GetPostgresType(column);
        return IsCore(type) ? DriverTypes.NameOf(_reader.GetDataTypeName(column)) : null;
    }

    private static bool IsCore(Npgsql.PostgresTypes.PostgresType type) => type switch
    {
        // It has the oid of what it is of.
        Npgsql.PostgresTypes.PostgresArrayType array => array.Element.Namespace == "pg_catalog",
        Npgsql.PostgresTypes.PostgresEnumType => true,
        Npgsql.PostgresTypes.PostgresDomainType domain => IsCore(domain.BaseType),
        _ => type.Namespace == "pg_catalog",
    };

    private byte[] Raw(int column)
    {
        using var stream = _reader.GetStream(column);
        var raw = new byte[stream.Length];
        stream.ReadExactly(raw);
        return raw;
    }

    // Whatever the caller read it as.
    private bool IsReadAs(int column, object value)
    {
        try
        {
            return value switch
            {
                DateTime time => _reader.GetFieldValue<DateTime>(column) is var own && own == time && own.Kind == time.Kind,
                DateTimeOffset time => _reader.GetFieldValue<DateTimeOffset>(column).EqualsExact(time),
                DateOnly date => _reader.GetFieldValue<DateOnly>(column) == date,
                TimeSpan time => _reader.GetFieldValue<TimeSpan>(column) == time,
                NpgsqlInterval interval => _reader.GetFieldValue<NpgsqlInterval>(column).Equals(interval),
                NpgsqlInet address => _reader.GetFieldValue<NpgsqlInet>(column).Equals(address),
                _ => AreSame(_reader.GetValue(column), value),
            };
        }
        catch (Exception e) when (e is InvalidCastException or OverflowException or ArgumentException or NotSupportedException or FormatException)
        {
            return false;
        }
    }

    private static bool AreSame(object? one, object? other)
    {
        if (one is not IEnumerable values || one is string || other is not IEnumerable others || other is string)
            return Equals(one, other) || (one is NpgsqlTsQuery query && other is NpgsqlTsQuery && query.ToString() == other.ToString());
        if (one is Array array && other is Array otherArray
            && (array.Rank != otherArray.Rank || Enumerable.Range(0, array.Rank).Any(i => array.GetLength(i) != otherArray.GetLength(i))))
        {
            return false;
        }

        return values.Cast<object?>().SequenceEqual(others.Cast<object?>(), Elements.Instance);
    }

    private sealed class Elements : IEqualityComparer<object?>
    {
        public static readonly Elements Instance = new();

        public new bool Equals(object? one, object? other) => AreSame(one, other);

        public int GetHashCode(object? value) => 0;
    }
}
