using System.Globalization;
using Npgsql;
using PgPool.Benchmarks.Harness;
using PgPool.Migration;
using PgPool.TestSupport;

namespace PgPool.Benchmarks.Cases.Copying;

/// <summary>Two databases of one server, a table in the one that is to be copied into the other, and a pool for each.</summary>
internal sealed class Arena : IAsyncDisposable
{
    private const string Table = "accounts";

    // As wide as a row of pgbench_accounts: 3 M rows are 384 MB.
    private const string Ddl = $"CREATE TABLE {Table} (id int, branch int, balance int, filler char(84))";

    private Arena(PostgresServer server, string source, string target, int workers)
    {
        Server = server;
        SourceConnection = source;
        TargetConnection = target;
        Source = new ConnectionPool(new ConnectionPoolOptions(source) { MaxSize = workers + 1 });
        Target = new ConnectionPool(new ConnectionPoolOptions(target) { MaxSize = workers });
    }

    public PostgresServer Server { get; }

    public string SourceConnection { get; }

    public string TargetConnection { get; }

    public ConnectionPool Source { get; }

    public ConnectionPool Target { get; }

    /// <summary>Bytes of the table's heap.</summary>
    public long Bytes { get; private set; }

    public static async Task<Arena> CreateAsync(BenchmarkContext context, int rows, int workers)
    {
        var arena = new Arena(context.Server,
            Bulk(await context.Server.CreateDatabaseAsync()), Bulk(await context.Server.CreateDatabaseAsync()), workers);
        await ExecuteAsync(arena.SourceConnection, string.Create(CultureInfo.InvariantCulture, $"""
            {Ddl};
            INSERT INTO {Table} SELECT i, i % 30, 0, '' FROM generate_series(1, {rows}) i;
            ALTER TABLE {Table} ADD PRIMARY KEY (id);
            """));
        await ExecuteAsync(arena.SourceConnection, $"VACUUM (ANALYZE, FREEZE) {Table}");
        await ExecuteAsync(arena.TargetConnection, Ddl);
        arena.Bytes = await arena.SourceScalarAsync($"SELECT pg_table_size('{Table}')");
        return arena;
    }

    /// <summary>Empties the target, and has the server write what it owes the disk: that is nobody's round.</summary>
    public Task ResetAsync() => ExecuteAsync(TargetConnection, $"TRUNCATE {Table}; CHECKPOINT");

    /// <summary>Copies the table as a user of the package does, in a run of its own.</summary>
    public Task CopyAsync(int degree, long partitionBytes = 64L << 20) =>
        new MigrationRun($"{Guid.NewGuid()}", Source, Target, new MigrationOptions { Degree = degree, PartitionBytes = partitionBytes })
            .CopyAsync([new TableCopy(Table)]);

    /// <exception cref="InvalidOperationException">Not every row has arrived once: what was measured is no copy.</exception>
    public async Task CheckAsync()
    {
        const string Sum = $"SELECT count(*) + sum(id::bigint) FROM {Table}";
        await using var connection = await OpenAsync(TargetConnection);
        await using var command = new NpgsqlCommand(Sum, connection);
        var there = Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
        if (there != await SourceScalarAsync(Sum))
            throw new InvalidOperationException("The copy differs from its source.");
    }

    public static async Task<NpgsqlConnection> OpenAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Target.DisposeAsync();
        foreach (var connectionString in new[] { SourceConnection, TargetConnection })
            await Server.ExecuteAsync($"DROP DATABASE \"{new NpgsqlConnectionStringBuilder(connectionString).Database}\" WITH (FORCE)");
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = await OpenAsync(connectionString);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    private async Task<long> SourceScalarAsync(string sql)
    {
        await using var connection = await OpenAsync(SourceConnection);
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    // As the README advises.
    private static string Bulk(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString)
    {
        ApplicationName = "copying",
        CommandTimeout = 0,
        ReadBufferSize = 64 * 1024,
        WriteBufferSize = 64 * 1024,
        SocketReceiveBufferSize = 256 * 1024,
        SocketSendBufferSize = 256 * 1024,
    }.ConnectionString;
}
