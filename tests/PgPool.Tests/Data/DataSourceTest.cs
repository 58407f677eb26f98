using System.Data;
using System.Data.Common;
using PgPool.Tests.Integration;
using Xunit;

namespace PgPool.Tests.Data;

/// <summary>A test of the pool as ADO.NET knows it, whose calls come in two modes.</summary>
public abstract class DataSourceTest(ServerFixture fixture) : PoolTest(fixture)
{
    public static TheoryData<bool> Modes => [true, false];

    protected static async Task OpenAsync(DbConnection connection, bool async)
    {
        if (async)
            await connection.OpenAsync(Stop);
        else
            connection.Open();
    }

    protected static async Task CloseAsync(DbConnection connection, bool async)
    {
        if (async)
            await connection.CloseAsync();
        else
            connection.Close();
    }

    protected static async Task<object?> ScalarAsync(DbCommand command, bool async)
        => async ? await command.ExecuteScalarAsync(Stop) : command.ExecuteScalar();

    protected static async Task<DbDataReader> ReaderAsync(DbCommand command, CommandBehavior behavior, bool async)
        => async ? await command.ExecuteReaderAsync(behavior, Stop) : command.ExecuteReader(behavior);

    protected static async Task DisposeAsync(DbDataReader reader, bool async)
    {
        if (async)
            await reader.DisposeAsync();
        else
            reader.Dispose();
    }
}
