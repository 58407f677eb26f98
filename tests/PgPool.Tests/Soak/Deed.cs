namespace PgPool.Tests.Soak;

/// <summary>One thing to do with a lease, in one of the two ways of doing it.</summary>
internal sealed record Deed(SoakContext Soak, ConnectionLease Lease, Random Random, bool Async)
{
    public async ValueTask ExecuteAsync(string sql, params object[] parameters)
    {
        await using var command = Lease.CreateCommand(sql);
        foreach (var value in parameters)
            command.Parameters.Add(new() { Value = value });
        _ = Async ? await command.ExecuteNonQueryAsync() : command.ExecuteNonQuery();
    }

    /// <summary>Inserts a row and returns its number.</summary>
    public async ValueTask<long> InsertAsync()
    {
        var row = Soak.Rows.Next();
        await ExecuteAsync("INSERT INTO soak VALUES ($1)", row);
        return row;
    }
}
