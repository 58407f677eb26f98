using Npgsql;

namespace PgPool.Migration;

/// <summary>Commands of a migration: without a client-side timeout, as what they take is up to the data, and cancelled by their token.</summary>
internal static class LeaseExtensions
{
    /// <param name="lease">Where it runs.</param>
    /// <param name="sql">The SQL, its parameters as $1, $2, …</param>
    /// <param name="parameters">Their values; null is NULL.</param>
    public static NpgsqlCommand Command(this ConnectionLease lease, string sql, params ReadOnlySpan<object?> parameters)
    {
        var command = lease.CreateCommand(sql);
        command.CommandTimeout = 0;
        foreach (var value in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
        return command;
    }

    public static async Task<int> ExecuteAsync(this ConnectionLease lease, string sql, CancellationToken cancellationToken)
    {
        var command = lease.Command(sql);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The first column of the first row; default where there is no row or it is NULL.</summary>
    public static async Task<T?> ScalarAsync<T>(this ConnectionLease lease, string sql, CancellationToken cancellationToken)
    {
        var command = lease.Command(sql);
        await using (command.ConfigureAwait(false))
            return await command.ScalarAsync<T>(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="ScalarAsync{T}(ConnectionLease, string, CancellationToken)"/>
    public static async Task<T?> ScalarAsync<T>(this NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) && !reader.IsDBNull(0)
                ? await reader.GetFieldValueAsync<T>(0, cancellationToken).ConfigureAwait(false)
                : default;
        }
    }

    /// <summary>All rows, each as <paramref name="read"/> makes it.</summary>
    public static async Task<List<T>> QueryAsync<T>(this NpgsqlCommand command, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        List<T> rows = [];
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                rows.Add(read(reader));
        }

        return rows;
    }
}
