using System.Globalization;
using Npgsql;
using PgPool.Tests;
using PgPool.Tests.Integration;
using Xunit;

namespace PgPool.Migration.Tests;

/// <summary>A test with a source and a target database of its own, and a pool for each.</summary>
public abstract class MigrationTest(ServerFixture fixture) : PoolTest(fixture)
{
    protected string SourceConnection { get; set; } = "";

    protected string TargetConnection { get; set; } = "";

    protected ConnectionPool Source { get; set; } = null!;

    protected ConnectionPool Target { get; set; } = null!;

    /// <summary>An id that no other test uses.</summary>
    protected string RunId { get; } = $"run-{Guid.NewGuid():N}";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        SourceConnection = await CreateDatabaseAsync();
        TargetConnection = await CreateDatabaseAsync();
        Source = SourcePool();
        Target = TargetPool();
    }

    /// <summary>Other pools than those of the administrator.</summary>
    protected void Use(ConnectionPool source, ConnectionPool target) => (Source, Target) = (source, target);

    protected ConnectionPool SourcePool(int size = 3) => Pool(SourceConnection, size);

    protected ConnectionPool TargetPool(int size = 2) => Pool(TargetConnection, size);

    protected ConnectionPool Pool(string connectionString, int size) => Pool(options =>
    {
        options.ConnectionString = connectionString;
        options.MaxSize = size;
    });

    /// <summary>With the log of the test.</summary>
    protected MigrationRun Run(MigrationOptions? options = null, string? id = null) =>
        new(id ?? RunId, Source, Target, (options ?? new MigrationOptions()) with { LoggerFactory = Log });

    /// <summary>On both sides.</summary>
    protected async Task CreateAsync(string ddl)
    {
        await OnSourceAsync(ddl);
        await OnTargetAsync(ddl);
    }

    protected Task OnSourceAsync(string sql) => Unpooled.ExecuteAsync(SourceConnection, sql);

    protected Task OnTargetAsync(string sql) => Unpooled.ExecuteAsync(TargetConnection, sql);

    protected Task<T> FromSourceAsync<T>(string sql) => FromAsync<T>(SourceConnection, sql);

    protected Task<T> FromTargetAsync<T>(string sql) => FromAsync<T>(TargetConnection, sql);

    /// <summary>The rows of a query, each as PostgreSQL prints a row, sorted; for tables that are small enough to look at.</summary>
    protected static async Task<string[]> RowsAsync(string connectionString, string select)
    {
        await using var connection = await Unpooled.OpenAsync(connectionString);
        await using var command = new NpgsqlCommand($"SELECT t::text FROM ({select}) t ORDER BY 1", connection);
        List<string> rows = [];
        await using var reader = await command.ExecuteReaderAsync(Stop);
        while (await reader.ReadAsync(Stop))
            rows.Add(reader.GetString(0));
        return [.. rows];
    }

    /// <summary>Both sides return the same, computed by SQL that has nothing to do with the package.</summary>
    protected async Task AssertSameAsync(string select) =>
        Assert.Equal(await RowsAsync(SourceConnection, select), await RowsAsync(TargetConnection, select));

    /// <summary>Both sides have the same rows, compared in the servers.</summary>
    protected async Task AssertSameTableAsync(string table)
    {
        var sum = $"SELECT count(*) || ' ' || coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint::numeric), 0) FROM {table} t";
        Assert.Equal(await FromSourceAsync<string>(sum), await FromTargetAsync<string>(sum));
    }

    protected static string N(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<T> FromAsync<T>(string connectionString, string sql)
    {
        await using var connection = await Unpooled.OpenAsync(connectionString);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(Stop);
        Assert.True(await reader.ReadAsync(Stop), $"No row: {sql}");
        return await reader.GetFieldValueAsync<T>(0, Stop);
    }
}
