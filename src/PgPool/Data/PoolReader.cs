using System.Collections;
using System.Collections.ObjectModel;
using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace PgPool.Data;

/// <summary>
/// A reader with which its connection is closed. It lets go of Npgsql's first: that is the session's, and on its way to the next renter with it.
/// </summary>
/// <param name="reader">Npgsql's.</param>
/// <param name="connection">What is closed with it.</param>
internal sealed class PoolReader(NpgsqlDataReader reader, PoolConnection connection) : DbDataReader, IDbColumnSchemaGenerator
{
    // The connection may have been closed and opened again under the reader.
    private readonly ConnectionLease? _lease = connection.Lease;
    private NpgsqlDataReader? _reader = reader;
    private int _recordsAffected;

    public override int Depth => Open.Depth;

    public override int FieldCount => Open.FieldCount;

    public override int VisibleFieldCount => Open.VisibleFieldCount;

    public override bool HasRows => Open.HasRows;

    public override bool IsClosed => _reader?.IsClosed ?? true;

    public override int RecordsAffected => _reader?.RecordsAffected ?? _recordsAffected;

    private DbDataReader Open => _reader ?? throw new InvalidOperationException("The reader is closed.");

    public override object this[int ordinal] => Open[ordinal];

    public override object this[string name] => Open[name];

    public override bool Read() => Open.Read();

    public override Task<bool> ReadAsync(CancellationToken cancellationToken) => Open.ReadAsync(cancellationToken);

    public override bool NextResult() => Open.NextResult();

    public override Task<bool> NextResultAsync(CancellationToken cancellationToken) => Open.NextResultAsync(cancellationToken);

    public override void Close()
    {
        if (Interlocked.Exchange(ref _reader, null) is not { } reader)
            return;
        try
        {
            reader.Dispose();
        }
        finally
        {
            Note(reader);
            connection.Close(_lease);
        }
    }

    public override async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _reader, null) is not { } reader)
            return;
        try
        {
            await reader.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            Note(reader);
            await connection.CloseAsync(_lease).ConfigureAwait(false);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    public override bool GetBoolean(int ordinal) => Open.GetBoolean(ordinal);

    public override byte GetByte(int ordinal) => Open.GetByte(ordinal);

    public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length)
        => Open.GetBytes(ordinal, dataOffset, buffer, bufferOffset, length);

    public override char GetChar(int ordinal) => Open.GetChar(ordinal);

    public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length)
        => Open.GetChars(ordinal, dataOffset, buffer, bufferOffset, length);

    public override string GetDataTypeName(int ordinal) => Open.GetDataTypeName(ordinal);

    public override DateTime GetDateTime(int ordinal) => Open.GetDateTime(ordinal);

    public override decimal GetDecimal(int ordinal) => Open.GetDecimal(ordinal);

    public override double GetDouble(int ordinal) => Open.GetDouble(ordinal);

    public override IEnumerator GetEnumerator() => new DbEnumerator(this);

    [return: DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.PublicProperties)]
    public override Type GetFieldType(int ordinal) => Open.GetFieldType(ordinal);

    public override T GetFieldValue<T>(int ordinal) => Open.GetFieldValue<T>(ordinal);

    public override Task<T> GetFieldValueAsync<T>(int ordinal, CancellationToken cancellationToken) => Open.GetFieldValueAsync<T>(ordinal, cancellationToken);

    public override float GetFloat(int ordinal) => Open.GetFloat(ordinal);

    public override Guid GetGuid(int ordinal) => Open.GetGuid(ordinal);

    public override short GetInt16(int ordinal) => Open.GetInt16(ordinal);

    public override int GetInt32(int ordinal) => Open.GetInt32(ordinal);

    public override long GetInt64(int ordinal) => Open.GetInt64(ordinal);

    public override string GetName(int ordinal) => Open.GetName(ordinal);

    public override int GetOrdinal(string name) => Open.GetOrdinal(name);

    [return: DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.PublicProperties)]
    public override Type GetProviderSpecificFieldType(int ordinal) => Open.GetProviderSpecificFieldType(ordinal);

    public override object GetProviderSpecificValue(int ordinal) => Open.GetProviderSpecificValue(ordinal);

    public override int GetProviderSpecificValues(object[] values) => Open.GetProviderSpecificValues(values);

    public override Stream GetStream(int ordinal) => Open.GetStream(ordinal);

    public override string GetString(int ordinal) => Open.GetString(ordinal);

    public override TextReader GetTextReader(int ordinal) => Open.GetTextReader(ordinal);

    public override object GetValue(int ordinal) => Open.GetValue(ordinal);

    public override int GetValues(object[] values) => Open.GetValues(values);

    public override bool IsDBNull(int ordinal) => Open.IsDBNull(ordinal);

    public override Task<bool> IsDBNullAsync(int ordinal, CancellationToken cancellationToken) => Open.IsDBNullAsync(ordinal, cancellationToken);

    public ReadOnlyCollection<DbColumn> GetColumnSchema() => Open.GetColumnSchema();

    public override Task<ReadOnlyCollection<DbColumn>> GetColumnSchemaAsync(CancellationToken cancellationToken = default)
        => Open.GetColumnSchemaAsync(cancellationToken);

    public override DataTable? GetSchemaTable() => Open.GetSchemaTable();

    public override Task<DataTable?> GetSchemaTableAsync(CancellationToken cancellationToken = default) => Open.GetSchemaTableAsync(cancellationToken);

    protected override DbDataReader GetDbDataReader(int ordinal) => Open.GetData(ordinal);

    // Asked for after it is closed, as output of a batch that was read. Npgsql throws where an int does not hold it.
    private void Note(NpgsqlDataReader closed) => _recordsAffected = closed.Rows > int.MaxValue ? int.MaxValue : closed.RecordsAffected;
}
