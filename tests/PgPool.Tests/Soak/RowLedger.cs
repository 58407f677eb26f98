using System.Collections.Concurrent;
using Npgsql;

namespace PgPool.Tests.Soak;

/// <summary>Which rows must be in the table, and which must not. Of a commit that failed neither is known.</summary>
internal sealed class RowLedger(string connectionString)
{
    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString;
    private readonly ConcurrentQueue<long> _committed = [];
    private readonly ConcurrentQueue<long> _rolledBack = [];
    private long _last;

    public async Task CreateTableAsync()
    {
        await using var source = NpgsqlDataSource.Create(_connectionString);
        await ExecuteAsync(source, "CREATE TABLE soak (id bigint PRIMARY KEY)");
    }

    public long Next() => Interlocked.Increment(ref _last);

    /// <summary>The server said so.</summary>
    public void Committed(long row) => _committed.Enqueue(row);

    /// <summary>Nobody asked the server to commit it.</summary>
    public void RolledBack(long row) => _rolledBack.Enqueue(row);

    /// <summary>Compares with the table and empties both. For when no transaction is under way.</summary>
    public async Task VerifyAsync(SoakReport report)
    {
        await using var source = NpgsqlDataSource.Create(_connectionString);
        await using var select = source.CreateCommand("SELECT coalesce(array_agg(id), '{}') FROM soak");
        var rows = ((long[])(await select.ExecuteScalarAsync())!).ToHashSet();
        var lost = _committed.Where(row => !rows.Contains(row)).ToArray();
        var unwanted = _rolledBack.Where(rows.Contains).ToArray();
        if (lost.Length > 0)
            report.Finding($"{lost.Length} of {_committed.Count} committed rows are lost, the first is {lost[0]}");
        if (unwanted.Length > 0)
            report.Finding($"{unwanted.Length} of {_rolledBack.Count} rows are there that were never committed, the first is {unwanted[0]}");
        report.Line($"rows: {_committed.Count} committed and there, {_rolledBack.Count} rolled back and not");
        _committed.Clear();
        _rolledBack.Clear();
        await ExecuteAsync(source, "TRUNCATE soak");
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
