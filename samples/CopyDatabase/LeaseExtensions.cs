using PgPool;

namespace CopyDatabase;

internal static class LeaseExtensions
{
    public static async Task ExecuteAsync(this ConnectionLease lease, string sql, CancellationToken cancellationToken)
    {
        await using var command = lease.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task<T> QueryScalarAsync<T>(this ConnectionLease lease, string sql, CancellationToken cancellationToken)
    {
        await using var command = lease.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
