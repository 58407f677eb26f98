using Npgsql;

namespace PgPool.Tests.Soak;

/// <summary>What renters do to sessions, the good and the bad.</summary>
internal static class Deeds
{
    /// <summary>The settings that renters change.</summary>
    public static readonly string[] Settings = ["work_mem", "search_path", "statement_timeout", "TimeZone", "default_transaction_isolation"];

    private const string ManyRows = "SELECT i, repeat('x', 200) FROM generate_series(1, 500000) AS i";

    private static readonly (int Weight, string Name, Func<Deed, ValueTask> Do)[] All =
    [
        (60, "read", deed => deed.ExecuteAsync("SELECT sum(i) FROM generate_series(1, $1) AS i", deed.Random.Next(5_000))),
        (40, "commit", CommitAsync),
        (5, "roll back", RollBackAsync),
        (5, "copy in", CopyInAsync),
        (3, "prepare", PrepareAsync),
        (2, "error", deed => deed.ExecuteAsync("SELECT 1 / $1", 0)),
        (2, "cancel", CancelAsync),
        (1, "command timeout", TimeOutAsync),
        (3, "leave a transaction", LeaveTransactionAsync),
        (2, "leave a failed transaction", LeaveFailedTransactionAsync),
        (3, "leave a temporary table", deed => deed.ExecuteAsync("CREATE TEMPORARY TABLE left_over AS SELECT 1 AS i")),
        (3, "leave an advisory lock", deed => deed.ExecuteAsync("SELECT pg_advisory_lock($1)", deed.Random.NextInt64(1_000))),
        (2, "leave a LISTEN", deed => deed.ExecuteAsync("LISTEN soak")),
        (1, "notify", deed => deed.ExecuteAsync("NOTIFY soak, 'news'")),
        (3, "leave settings", LeaveSettingsAsync),
        (1, "leave a role", deed => deed.ExecuteAsync("SET ROLE pg_read_all_stats")),
        (2, "leave a cursor", deed => deed.ExecuteAsync("DECLARE left_over CURSOR WITH HOLD FOR SELECT 1")),
        (2, "leave a reader", LeaveReaderAsync),
        (1, "leave a copy in", LeaveCopyInAsync),
        (1, "leave a copy out", LeaveCopyOutAsync),
        (1, "leave a statement running", LeaveStatement),
        (1, "close the connection", CloseAsync),
        (1, "reopen the connection", ReopenAsync),
        (1, "terminate itself", deed => deed.ExecuteAsync("SELECT pg_terminate_backend(pg_backend_pid())")),
    ];

    private static readonly int TotalWeight = All.Sum(static deed => deed.Weight);

    public static (string Name, Func<Deed, ValueTask> Do) Draw(Random random)
    {
        var draw = random.Next(TotalWeight);
        var chosen = All.First(deed => (draw -= deed.Weight) < 0);
        return (chosen.Name, chosen.Do);
    }

    private static async ValueTask CommitAsync(Deed deed)
    {
        await using var transaction = deed.Lease.Connection.BeginTransaction();
        var row = await deed.InsertAsync();
        if (deed.Async)
            await transaction.CommitAsync();
        else
            transaction.Commit();
        deed.Soak.Rows.Committed(row);
    }

    private static async ValueTask RollBackAsync(Deed deed)
    {
        await using var transaction = deed.Lease.Connection.BeginTransaction();
        deed.Soak.Rows.RolledBack(await deed.InsertAsync());
        if (deed.Async)
            await transaction.RollbackAsync();
        else
            transaction.Rollback();
    }

    private static async ValueTask CopyInAsync(Deed deed)
    {
        await using var copy = await BeginCopyInAsync(deed);
        var rows = await WriteRowsAsync(deed, copy);
        _ = deed.Async ? await copy.CompleteAsync() : copy.Complete();
        Array.ForEach(rows, deed.Soak.Rows.Committed);
    }

    private static async ValueTask PrepareAsync(Deed deed)
    {
        await using var command = deed.Lease.CreateCommand("SELECT count(*) FROM pg_class");
        if (deed.Async)
            await command.PrepareAsync();
        else
            command.Prepare();
        _ = deed.Async ? await command.ExecuteScalarAsync() : command.ExecuteScalar();
    }

    private static async ValueTask CancelAsync(Deed deed)
    {
        using var impatience = new CancellationTokenSource(deed.Random.Next(20));
        await using var command = deed.Lease.CreateCommand("SELECT pg_sleep(0.1)");
        await using var cancel = impatience.Token.Register(command.Cancel);
        _ = deed.Async ? await command.ExecuteNonQueryAsync(impatience.Token) : command.ExecuteNonQuery();
    }

    private static async ValueTask TimeOutAsync(Deed deed)
    {
        await using var command = deed.Lease.CreateCommand("SELECT pg_sleep(2)");
        command.CommandTimeout = 1;
        _ = deed.Async ? await command.ExecuteNonQueryAsync() : command.ExecuteNonQuery();
    }

    private static async ValueTask LeaveTransactionAsync(Deed deed)
    {
        if (deed.Random.Next(2) == 0)
            deed.Lease.Connection.BeginTransaction();
        else
            await deed.ExecuteAsync("BEGIN");
        deed.Soak.Rows.RolledBack(await deed.InsertAsync());
    }

    private static async ValueTask LeaveFailedTransactionAsync(Deed deed)
    {
        await LeaveTransactionAsync(deed);
        await deed.ExecuteAsync("SELECT 1 / $1", 0);
    }

    private static ValueTask LeaveSettingsAsync(Deed deed)
        => deed.ExecuteAsync("SET work_mem = '65kB'; SET search_path = pg_catalog; SET statement_timeout = '29s'; SET TimeZone = 'PST8PDT'; "
            + "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE");

    private static async ValueTask LeaveReaderAsync(Deed deed)
    {
        var command = deed.Lease.CreateCommand(ManyRows);
        var reader = deed.Async ? await command.ExecuteReaderAsync() : command.ExecuteReader();
        _ = deed.Async ? await reader.ReadAsync() : reader.Read();
    }

    private static async ValueTask LeaveCopyInAsync(Deed deed)
    {
        var rows = await WriteRowsAsync(deed, await BeginCopyInAsync(deed));
        Array.ForEach(rows, deed.Soak.Rows.RolledBack);
    }

    private static async ValueTask LeaveCopyOutAsync(Deed deed)
    {
        const string Copy = $"COPY ({ManyRows}) TO STDOUT (FORMAT binary)";
        var connection = deed.Lease.Connection;
        var copy = deed.Async ? await connection.BeginBinaryExportAsync(Copy) : connection.BeginBinaryExport(Copy);
        _ = deed.Async ? await copy.StartRowAsync() : copy.StartRow();
    }

    // Asynchronous in both ways: by the time that this returns it must have begun, or it would begin on somebody else's session.
    private static ValueTask LeaveStatement(Deed deed)
    {
        var seconds = deed.Random.Next(1, 10);
        deed.Soak.Leftovers.Add(deed.Lease.CreateCommand($"SELECT pg_sleep({seconds})").ExecuteNonQueryAsync());
        return default;
    }

    private static async ValueTask CloseAsync(Deed deed)
    {
        if (deed.Async)
            await deed.Lease.Connection.CloseAsync();
        else
            deed.Lease.Connection.Close();
    }

    private static async ValueTask ReopenAsync(Deed deed)
    {
        await CloseAsync(deed);
        if (deed.Async)
            await deed.Lease.Connection.OpenAsync();
        else
            deed.Lease.Connection.Open();
    }

    private static async ValueTask<NpgsqlBinaryImporter> BeginCopyInAsync(Deed deed)
    {
        const string Copy = "COPY soak FROM STDIN (FORMAT binary)";
        var connection = deed.Lease.Connection;
        return deed.Async ? await connection.BeginBinaryImportAsync(Copy) : connection.BeginBinaryImport(Copy);
    }

    private static async ValueTask<long[]> WriteRowsAsync(Deed deed, NpgsqlBinaryImporter copy)
    {
        var rows = new long[deed.Random.Next(1, 2_000)];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = deed.Soak.Rows.Next();
            if (deed.Async)
            {
                await copy.StartRowAsync();
                await copy.WriteAsync(rows[i]);
            }
            else
            {
                copy.StartRow();
                copy.Write(rows[i]);
            }
        }
        return rows;
    }
}
