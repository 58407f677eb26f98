using System.Collections;
using System.Data;
using System.Data.Common;
using Npgsql;
using PgPool.Tests.Integration;
using Xunit;

namespace PgPool.Tests.Data;

/// <summary>The reader that closes its connection answers as Npgsql's does.</summary>
public sealed class PoolReaderTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Row =
        """
        SELECT true, 1::smallint AS "s", 2, 3::bigint, 1.5::real, 2.5::float8, 3.5::numeric, 'text', 'c'::"char", '\x0102'::bytea, NULL::int,
               timestamp '2026-01-02', '6f9619ff-8b86-d011-b42d-00c04fc964ff'::uuid, ARRAY[1, 2];
        SELECT 1;
        SELECT 2
        """;

    private static readonly Func<DbDataReader, object?>[] Members =
    [
        r => r.Depth, r => r.FieldCount, r => r.VisibleFieldCount, r => r.HasRows, r => r.IsClosed, r => r.RecordsAffected,
        r => r.GetBoolean(0), r => r.GetInt16(1), r => r.GetInt32(2), r => r.GetInt64(3), r => r.GetFloat(4), r => r.GetDouble(5), r => r.GetDecimal(6),
        r => r.GetString(7), r => r.GetChar(8), r => Bytes(r), r => Chars(r), r => r.IsDBNull(10), r => r.GetDateTime(11),
        r => r.GetGuid(12), r => r.GetFieldValue<int[]>(13),
        r => r.GetValue(13), r => Filled(r, r.GetValues), r => Filled(r, r.GetProviderSpecificValues), r => r.GetProviderSpecificValue(3), r => r[3], r => r["s"],
        r => r.GetName(1), r => r.GetOrdinal("s"), r => r.GetDataTypeName(6), r => r.GetFieldType(12), r => r.GetProviderSpecificFieldType(12),
        r => Text(new StreamReader(r.GetStream(9))), r => Text(r.GetTextReader(7)),
        r => r.GetColumnSchema().Select(column => (column.ColumnName, column.DataTypeName)).ToArray(),
        r => r.GetSchemaTable()!.Rows.Count, r => r.GetEnumerator().GetType(),
    ];

    private static readonly Func<DbDataReader, Task<object?>>[] AsynchronousMembers =
    [
        async r => await r.IsDBNullAsync(9, Stop), async r => await r.GetFieldValueAsync<int[]>(13, Stop),
        async r => (await r.GetColumnSchemaAsync(Stop)).Select(column => (column.ColumnName, column.DataType)).ToArray(),
        async r => (await r.GetSchemaTableAsync(Stop))!.Columns.Count,
        async r => await r.ReadAsync(Stop), async r => await r.NextResultAsync(Stop), async r => await r.ReadAsync(Stop),
        r => Task.FromResult<object?>(r.NextResult()), r => Task.FromResult<object?>(r.Read()),
    ];

    [Fact]
    public async Task Members_AnswerAsNpgsqlsDo()
    {
        await using var connection = await Pool().AsDataSource().OpenConnectionAsync(Stop);
        var expected = await AnswersAsync(connection, CommandBehavior.Default);
        var actual = await AnswersAsync(connection, CommandBehavior.CloseConnection);

        Assert.Equal(expected, actual);
        Assert.Equal(ConnectionState.Closed, connection.State);
    }

    [Fact]
    public async Task Enumerating_GivesTheRows()
    {
        await using var command = Pool().AsDataSource().CreateCommand("SELECT generate_series(1, 3)");
        await using var reader = await command.ExecuteReaderAsync(Stop);

        Assert.Equal([1, 2, 3], reader.Cast<IDataRecord>().Select(record => record.GetInt32(0)));
    }

    [Fact]
    public async Task GetData_IsANestedReader()
    {
        await using var command = Pool().AsDataSource().CreateCommand("SELECT ROW(1, 'a')");
        await using var reader = await command.ExecuteReaderAsync(Stop);
        await reader.ReadAsync(Stop);

        await using var nested = reader.GetData(0);
        Assert.True(await nested.ReadAsync(Stop));
        Assert.Equal((1, "a"), (nested.GetInt32(0), nested.GetString(1)));
    }

    private static async Task<List<string>> AnswersAsync(DbConnection connection, CommandBehavior behavior)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = Row;
        await using var reader = await command.ExecuteReaderAsync(behavior, Stop);
        Assert.Equal(behavior == CommandBehavior.Default, reader is NpgsqlDataReader);
        await reader.ReadAsync(Stop);
        List<string> answers = [.. Members.Select((member, i) => $"{i}: {Show(member(reader))}")];
        foreach (var member in AsynchronousMembers)
            answers.Add($"{answers.Count}: {Show(await member(reader))}");
        return answers;
    }

    private static string Show(object? value)
        => value is IEnumerable list and not string ? string.Join(", ", list.Cast<object?>().Select(Show)) : FormattableString.Invariant($"{value}");

    private static string Text(TextReader text)
    {
        using (text)
            return text.ReadToEnd();
    }

    private static object[] Filled(DbDataReader reader, Func<object[], int> fill)
    {
        var values = new object[reader.FieldCount + 1];
        values[^1] = fill(values);
        return values;
    }

    private static object[] Bytes(DbDataReader reader)
    {
        var buffer = new byte[4];
        return [reader.GetBytes(9, 1, buffer, 2, 1), .. buffer];
    }

    private static object[] Chars(DbDataReader reader)
    {
        var buffer = new char[4];
        return [reader.GetChars(7, 1, buffer, 1, 2), .. buffer];
    }
}
