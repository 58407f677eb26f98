using Npgsql;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

/// <summary>Databases, and clients, of other encodings.</summary>
public sealed class CopyEncodingsTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const string Table = "CREATE TABLE t (id int PRIMARY KEY, v text)";

    [Fact]
    public async Task CopyAsync_FromLatin1_ArrivesInUtf8()
    {
        await UseAsync(source: "LATIN1", target: "UTF8");
        await CreateAsync(Table);
        await OnSourceAsync("INSERT INTO t SELECT i, chr(i) || '\\' || chr(i) FROM generate_series(1, 255) i");

        await Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        await AssertSameAsync("SELECT id, convert_to(v, 'UTF8') FROM t");
        Assert.Equal(255, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task CopyAsync_ToLatin1_WhatItLacksIsABadRow()
    {
        await UseAsync(source: "UTF8", target: "LATIN1");
        await CreateAsync(Table);
        await OnSourceAsync("INSERT INTO t VALUES (1, 'é'), (2, '€'), (3, 'x')");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop));
        var report = await Run(id: RunId + "-2").CopyAsync([new TableCopy("t") { BadRows = BadRows.Reject }], cancellationToken: Stop);

        Assert.Contains("id = 2", failure.Message);
        Assert.Contains("22P05", failure.Message);
        Assert.Equal((2, 1), (report.Rows, report.RejectedRows));
        Assert.Equal(@"(2,\u20ac)", await FromTargetAsync<string>("SELECT row FROM pgpool_migration.rejected"));
        Assert.Equal(["(1,é)", "(3,x)"], await RowsAsync(TargetConnection, "SELECT * FROM t"));
    }

    [Fact]
    public async Task CopyAsync_BetweenSqlAscii_AnyBytesArrive()
    {
        await UseAsync(source: "SQL_ASCII", target: "SQL_ASCII");
        await CreateAsync(Table);
        await OnSourceAsync(@"INSERT INTO t SELECT i, convert_from(decode(lpad(to_hex(i), 2, '0'), 'hex'), 'SQL_ASCII') FROM generate_series(1, 255) i");

        await Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        await AssertSameAsync("SELECT id, encode(convert_to(v, 'SQL_ASCII'), 'hex') FROM t");
        Assert.Equal(255, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task CopyAsync_FromSqlAsciiToUtf8_WhatIsNoUtf8IsABadRow()
    {
        await UseAsync(source: "SQL_ASCII", target: "UTF8");
        await CreateAsync(Table);
        await OnSourceAsync(@"INSERT INTO t VALUES (1, 'x'), (2, convert_from('\x41e4', 'SQL_ASCII')), (3, 'y')");

        var report = await Run().CopyAsync([new TableCopy("t") { BadRows = BadRows.Reject }], cancellationToken: Stop);

        Assert.Equal((2, 1), (report.Rows, report.RejectedRows));
        Assert.Equal(@"(2,A\344)", await FromTargetAsync<string>("SELECT row FROM pgpool_migration.rejected"));
        Assert.Equal(["(1,x)", "(3,y)"], await RowsAsync(TargetConnection, "SELECT * FROM t"));
    }

    [Fact]
    public async Task CopyAsync_ClientsOfOtherEncodings_AreOfNoConcern()
    {
        await CreateAsync(Table);
        await OnSourceAsync("INSERT INTO t VALUES (1, 'é€漢')");
        Source = Pool(new NpgsqlConnectionStringBuilder(SourceConnection) { ClientEncoding = "EUC_JP" }.ConnectionString, 3);
        Target = Pool(new NpgsqlConnectionStringBuilder(TargetConnection) { ClientEncoding = "LATIN1" }.ConnectionString, 2);

        await Run().CopyAsync([new TableCopy("t")], cancellationToken: Stop);

        await AssertSameTableAsync("t");
    }

    private async Task UseAsync(string source, string target)
    {
        (SourceConnection, Source) = await CreateDatabaseAsync(source, 3);
        (TargetConnection, Target) = await CreateDatabaseAsync(target, 2);
    }

    private async Task<(string ConnectionString, ConnectionPool Pool)> CreateDatabaseAsync(string encoding, int poolSize)
    {
        var name = $"pgpool_{Guid.NewGuid():N}";
        await Server.ExecuteAsync($"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
        var connectionString = new NpgsqlConnectionStringBuilder(SourceConnection) { Database = name }.ConnectionString;
        return (connectionString, Pool(connectionString, poolSize));
    }
}
