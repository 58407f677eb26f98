using PgPool.Migration.Catalogs;
using PgPool.Migration.Partitions;
using PgPool.Tests;
using PgPool.Tests.Integration;
using Xunit;

namespace PgPool.Migration.Tests.Partitions;

/// <summary>A test that cuts tables of a database of its own, and counts whether every row is in exactly one partition.</summary>
public abstract class PartitionTest(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Relations = """
        WITH RECURSIVE parts AS (
            SELECT $1::regclass::oid AS oid WHERE (SELECT relkind FROM pg_class WHERE oid = $1::regclass) = 'p'
            UNION ALL
            SELECT inhrelid FROM parts JOIN pg_inherits ON inhparent = parts.oid)
        SELECT n.nspname, c.relname, pg_table_size(c.oid), pg_relation_size(c.oid) / 8192, a.attname, format_type(a.atttypid, -1)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
        WHERE c.relkind = 'r' AND (c.oid = $1::regclass OR c.oid IN (SELECT oid FROM parts))
        ORDER BY c.relname
        """;

    private ConnectionPool? _pool;
    private ConnectionLease? _lease;

    private protected ConnectionLease Source => _lease!;

    public override async ValueTask InitializeAsync()
    {
        var database = await CreateDatabaseAsync();
        _pool = Pool(options => options.ConnectionString = database);
        _lease = await _pool.RentAsync(Stop);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_lease is not null)
            await _lease.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected Task ExecuteAsync(string sql) => ExecuteAsync(Source, sql);

    /// <summary>What the catalog would have found, as far as partitions depend on it. Begins the transaction that a run would read in.</summary>
    private protected async Task<TablePlan> ReadAsync(TableCopy copy, bool indivisible = false)
    {
        await ExecuteAsync($"COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {SessionSettings.ForReading(Source)}; SET LOCAL search_path = ''");
        await using var command = Source.Command(Relations, copy.Source.ToString());
        var relations = await command.QueryAsync(
            row => new Relation(new(row.GetString(0), row.GetString(1)), row.GetInt64(2), row.GetInt64(3),
                row.IsDBNull(4) ? null : new KeyColumn(row.GetString(4), row.GetString(5))), Stop);
        return new TablePlan
        {
            Copy = copy,
            Columns = [],
            Format = CopyFormat.Binary,
            SourceKey = [],
            TargetKey = [],
            Relations = relations,
            IsIndivisible = indivisible,
            Definition = new Dictionary<string, string>(),
        };
    }

    private protected async Task<IReadOnlyList<Partition>> PlanAsync(TableCopy copy, long partitionBytes = 8192, bool indivisible = false)
    {
        var partitions = await Partitioner.PlanAsync(Source, await ReadAsync(copy, indivisible), partitionBytes, Stop);
        Assert.Equal(partitions.OrderByDescending(partition => partition.Bytes), partitions);
        foreach (var part in partitions.GroupBy(partition => partition.Relation))
            Assert.Equal(part.Key.Bytes, part.Sum(partition => partition.Bytes));
        await CoversAsync(copy, partitions);
        return partitions;
    }

    /// <summary>Ranges that adjoin each other are disjoint; those whose counts add up to all rows cover them.</summary>
    private protected async Task CoversAsync(TableCopy copy, IEnumerable<Partition> partitions)
    {
        var rows = 0L;
        foreach (var part in partitions.GroupBy(partition => partition.Relation))
        {
            Assert.Single(part, partition => partition.Lower is null);
            Assert.Single(part, partition => partition.Upper is null);
            Assert.Equal(
                part.Select(partition => partition.Lower).Order(StringComparer.Ordinal), part.Select(partition => partition.Upper).Order(StringComparer.Ordinal));
            foreach (var partition in part)
                rows += await CountAsync(partition);
        }

        Assert.Equal(await ScalarAsync<long>(Source, $"SELECT count(*) FROM {copy.Source} WHERE {copy.Where ?? "true"}"), rows);
    }

    private protected Task<long> CountAsync(Partition partition) =>
        ScalarAsync<long>(Source, $"SELECT count(*) FROM ONLY {partition.Relation.Name} WHERE {partition.Condition}");
}
