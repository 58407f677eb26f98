using Npgsql;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Catalogs;

/// <summary>What cannot be is found before anything is changed, and all of it at once.</summary>
public sealed class PreflightTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private static readonly TableCopy T = new("t");

    [Theory]
    [InlineData("SELECT 1", "CREATE TABLE t (id int)", "the source", "has no table \"public\".\"t\"")]
    [InlineData("CREATE TABLE t (id int)", "SELECT 1", "the target", "create it there first")]
    [InlineData("CREATE VIEW t AS SELECT 1 AS id", "CREATE TABLE t (id int)", "it is a view")]
    [InlineData("CREATE SEQUENCE t", "CREATE TABLE t (id int)", "it is a sequence")]
    [InlineData("CREATE TABLE t (id int)", "CREATE VIEW t AS SELECT 1 AS id", "is a view", "copy into a table")]
    [InlineData("CREATE TABLE t (id int, extra text)", "CREATE TABLE t (id int)", "lacks the column \"extra\"")]
    [InlineData("CREATE TABLE t (\"Id\" int)", "CREATE TABLE t (id int)", "lacks the column \"Id\" (but \"id\")")]
    [InlineData("CREATE TABLE t (id int)", "CREATE TABLE t (id int, more text NOT NULL)", "\"more\"", "NOT NULL without a default")]
    [InlineData("CREATE TABLE t (id int)", "CREATE TABLE t (id int GENERATED ALWAYS AS (1) STORED)", "generates all of its columns")]
    [InlineData("CREATE TABLE t ()", "CREATE TABLE t ()", "it has no columns")]
    [InlineData("CREATE TABLE t (id text)", "CREATE TABLE t (id int)", "types do not fit: it is text in the source, integer in the target", "TransformAsync")]
    [InlineData("CREATE TABLE t (id timestamptz)", "CREATE TABLE t (id int[])", "types do not fit")]
    [InlineData("CREATE TYPE e AS ENUM ('a', 'b', 'c'); CREATE TABLE t (id e)", "CREATE TYPE e AS ENUM ('b'); CREATE TABLE t (id e)",
        "lacks 'a', 'c' of the source's", "ALTER TYPE")]
    [InlineData("CREATE TYPE c AS (x int, y int); CREATE TABLE t (id c)", "CREATE TYPE c AS (x int); CREATE TABLE t (id c)", "make them of the same parts")]
    [InlineData("CREATE TYPE e AS ENUM ('a'); CREATE TABLE t (id e[])", "CREATE TYPE e AS ENUM ('b'); CREATE TABLE t (id e[])", "lacks 'a'")]
    public async Task CopyAsync_TablesThatDoNotFit_AreRefused(string source, string target, params string[] told)
    {
        if (target.Contains("GENERATED", StringComparison.Ordinal))
            await NeedsVersionAsync(12, "a generated column");
        await OnSourceAsync(source);
        await OnTargetAsync(target);

        await AssertRefusedAsync([T], told);
    }

    [Fact]
    public async Task CopyAsync_SeveralProblems_AreToldTogether()
    {
        await OnSourceAsync("CREATE TABLE a (id int, x int); CREATE TABLE b (id text); CREATE TABLE c (id int)");
        await OnTargetAsync("CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int)");

        var failure = await AssertRefusedAsync(
            [new("a"), new("b"), new("c") { Where = "nonsense > 1" }, new("d"), new("nowhere.e")],
            "7 problems", "lacks the column \"x\"", "types do not fit", "does not understand the condition (42703", "no table \"public\".\"d\"",
            "has no schema \"nowhere\"");

        Assert.Null(failure.Table);
    }

    [Theory]
    [InlineData("has no column \"nonsense\"", "nonsense")]
    [InlineData("has no column \"ID\" (but \"id\")", "ID")]
    [InlineData("is generated and cannot be written", "id", "twice")]
    [InlineData("\"must\" of the target", "id")]
    public async Task CopyAsync_ColumnsThatCannotBeCopied_AreRefused(string told, params string[] columns)
    {
        await NeedsVersionAsync(12, "a generated column");
        await CreateAsync("CREATE TABLE t (id int, must int NOT NULL, twice int GENERATED ALWAYS AS (id * 2) STORED)");

        await AssertRefusedAsync([T with { Columns = columns }], told);
    }

    [Theory]
    [InlineData("REVOKE SELECT ON t FROM {0}", "no SELECT privilege on the source \"public\".\"t\"")]
    [InlineData("REVOKE ALL ON t FROM {0}; GRANT SELECT (id) ON t TO {0}", "no SELECT privilege on the source \"public\".\"t\" (\"a\")")]
    [InlineData("REVOKE USAGE ON SCHEMA public FROM PUBLIC, {0}", "no USAGE privilege on the source's schema \"public\"")]
    [InlineData("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "row security applies")]
    public async Task CopyAsync_SourceMayNotBeRead_IsRefused(string sql, string told)
    {
        var role = await RoleAsync();
        await OnSourceAsync(string.Format(null, sql, role));

        await AssertRefusedAsync([T with { PartitionBy = PartitionBy.Key }], told);
    }

    [Theory]
    [InlineData("REVOKE INSERT ON t FROM {0}", TargetMode.Append, "no INSERT privilege on the target")]
    [InlineData("REVOKE UPDATE ON t FROM {0}", TargetMode.Upsert, "no UPDATE privilege on the target \"public\".\"t\" (\"a\")")]
    [InlineData("REVOKE TRUNCATE ON t FROM {0}", TargetMode.Truncate, "no TRUNCATE privilege on the target")]
    [InlineData("ALTER TABLE t ENABLE ROW LEVEL SECURITY", TargetMode.Append, "row security applies")]
    [InlineData("DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM {0}', current_database()); END $$", TargetMode.Append, "may not create the schema pgpool_migration")]
    [InlineData("ALTER TABLE t DROP CONSTRAINT t_pkey", TargetMode.Upsert, "no primary key to upsert by")]
    [InlineData("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id) DEFERRABLE", TargetMode.Upsert, "is DEFERRABLE")]
    [InlineData("CREATE TABLE outside (id int REFERENCES t)", TargetMode.Truncate, "\"outside\" refers to it by the foreign key \"outside_id_fkey\"")]
    public async Task CopyAsync_TargetMayNotBeWritten_IsRefused(string sql, TargetMode mode, string told)
    {
        var role = await RoleAsync();
        await OnTargetAsync("INSERT INTO t VALUES (1, 'stays')");
        await OnTargetAsync(string.Format(null, sql, role));

        await AssertRefusedAsync([T with { Mode = mode }], told);

        Assert.Equal(1, await FromTargetAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task CheckAsync_WhatComesAfterTheCopyIsMissing_IsToldAndNothingChanged()
    {
        var role = await RoleAsync();
        await OnTargetAsync($"CREATE SEQUENCE q; ALTER TABLE t ALTER id SET DEFAULT nextval('q'), DROP COLUMN a; REVOKE SELECT ON t FROM {role}");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run().CheckAsync([T], Stop));

        Assert.Contains("3 problems", failure.Message, StringComparison.Ordinal);
        Assert.Contains("lacks the column \"a\"", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"role \"{role}\" has no SELECT privilege on the target", failure.Message, StringComparison.Ordinal);
        Assert.Contains("\"public\".\"q\" of \"public\".\"t\" may not be read or set", failure.Message, StringComparison.Ordinal);
        await OnTargetAsync($"ALTER TABLE t ADD a text; GRANT SELECT ON t TO {role}; GRANT ALL ON SEQUENCE q TO {role}");
        await Run().CheckAsync([T], Stop);
        Assert.False(await FromTargetAsync<bool>("SELECT to_regnamespace('pgpool_migration') IS NOT NULL"));
        Assert.Equal((0, 0), (Source.GetStatistics().Leased, Target.GetStatistics().Leased));
    }

    [Fact]
    public async Task CopyAsync_OptionsThatCannotBe_AreRefused()
    {
        var role = await RoleAsync();

        await AssertRefusedAsync(
            [T], new MigrationOptions { DisableTriggers = true, PauseWhile = "SELECT 7" }, $"role \"{role}\" may not suppress", "session_replication_role", "PauseWhile", "it returns integer");
        await AssertRefusedAsync([T], new MigrationOptions { PauseWhile = "SELECT nonsense" }, "PauseWhile does not work on the target (42703");
    }

    [Fact]
    public async Task CopyAsync_TooFewConnections_AreCountedAndNamed()
    {
        var role = await RoleAsync();
        await Server.ExecuteAsync($"ALTER ROLE \"{role}\" CONNECTION LIMIT 3");
        Source.Resize(1, 3);

        await AssertRefusedAsync([T], "the run needs 5 connections by pools", $"3 are free of role \"{role}\"'s CONNECTION LIMIT 3");

        await Server.ExecuteAsync($"ALTER ROLE \"{role}\" CONNECTION LIMIT 5");
        await Run().CopyAsync([T], cancellationToken: Stop);
    }

    [Fact]
    public async Task CopyAsync_PartitionAndItsRoot_AreRefused()
    {
        await CreateAsync("CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF t FOR VALUES FROM (0) TO (10)");

        await AssertRefusedAsync([T, new("part")], "it is a partition of \"public\".\"t\"", "name one of them");
    }

    [Fact]
    public async Task CopyAsync_KeysThatCannotBeCut_AreAllNamed()
    {
        await CreateAsync("CREATE TABLE t (a int); CREATE TABLE u (id int[] PRIMARY KEY); CREATE TABLE empty (a int)");
        await OnSourceAsync("INSERT INTO t VALUES (1); INSERT INTO u VALUES ('{1}')");

        await AssertRefusedAsync(
            [.. new[] { "t", "u", "empty" }.Select(table => new TableCopy(table) { PartitionBy = PartitionBy.Key })],
            "2 problems", "\"t\" cannot be cut by its primary key: it has none", "\"u\" cannot be cut by its primary key: its first column, \"id\"", "PartitionBy.Blocks");
    }

    [Fact]
    public async Task CopyAsync_IntoItself_IsRefused()
    {
        await OnSourceAsync("CREATE TABLE t (id int)");

        var failure = await Assert.ThrowsAsync<MigrationException>(() => new MigrationRun(RunId, Source, Source).CopyAsync([T], cancellationToken: Stop));

        Assert.Contains("into itself", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CopyAsync_CircleOfForeignKeys_IsRefusedUnlessNobodyChecks()
    {
        await CreateAsync("""
            CREATE TABLE a (id int PRIMARY KEY, b int);
            CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
            ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b
            """);
        await OnSourceAsync("SET session_replication_role = replica; INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1)");

        await AssertRefusedAsync([new("a"), new("b")], "form a circle among \"public\".\"a\", \"public\".\"b\"", nameof(MigrationOptions.DisableTriggers));

        await Run(new() { DisableTriggers = true }).CopyAsync([new("a"), new("b")], cancellationToken: Stop);
        await AssertSameTableAsync("b");
    }

    [Fact]
    public async Task CopyAsync_BadArguments_AreNamed()
    {
        await AssertArgumentAsync("named twice", T, T);
        await AssertArgumentAsync("BadRows", T with { Mode = TargetMode.Upsert, BadRows = BadRows.Reject });
        await AssertArgumentAsync("Columns", T with { Columns = [] });
        await AssertArgumentAsync("Columns", T with { Columns = ["a", "a"] });
        await AssertArgumentAsync("Where", T with { Where = " " });
        await AssertArgumentAsync("PartitionBy", T with { PartitionBy = (PartitionBy)9 });
        await AssertArgumentAsync("null", null!);
        Assert.Throws<ArgumentException>(() => new MigrationRun(" ", Source, Target));
        Assert.Throws<ArgumentNullException>(() => new MigrationRun("x", null!, Target));
        foreach (var options in new MigrationOptions[]
        {
            new() { Degree = 0 }, new() { PartitionBytes = 8191 }, new() { MaxBytesPerSecond = 0 }, new() { MaxAttempts = 0 }, new() { PauseWhile = "" },
        })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => new MigrationRun("x", Source, Target, options));
        }

        async Task AssertArgumentAsync(string told, params TableCopy[] tables) => Assert.Contains(
            told, (await Assert.ThrowsAnyAsync<ArgumentException>(() => Run().CopyAsync(tables, cancellationToken: Stop))).Message, StringComparison.Ordinal);
    }

    private Task<MigrationException> AssertRefusedAsync(TableCopy[] tables, params string[] told) => AssertRefusedAsync(tables, new MigrationOptions(), told);

    private async Task<MigrationException> AssertRefusedAsync(TableCopy[] tables, MigrationOptions options, params string[] told)
    {
        var failure = await Assert.ThrowsAsync<MigrationException>(() => Run(options).CopyAsync(tables, cancellationToken: Stop));

        foreach (var text in told)
            Assert.Contains(text, failure.Message, StringComparison.Ordinal);
        Assert.False(await FromTargetAsync<bool>("SELECT to_regnamespace('pgpool_migration') IS NOT NULL"), "It has left something behind.");
        Assert.Equal((0, 0), (Source.GetStatistics().Leased, Target.GetStatistics().Leased));
        return failure;
    }

    /// <summary>Both pools are those of a role that owns nothing and may do all that a copy of t takes.</summary>
    private async Task<string> RoleAsync()
    {
        var role = $"copier_{Guid.NewGuid():N}";
        await Server.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'secret'");
        await CreateAsync($"""
            CREATE TABLE t (id int PRIMARY KEY, a text);
            GRANT ALL ON t TO {role};
            GRANT USAGE ON SCHEMA public TO {role};
            DO $$ BEGIN EXECUTE format('GRANT CREATE, TEMP ON DATABASE %I TO {role}', current_database()); END $$
            """);
        Use(Pool(As(SourceConnection), 3), Pool(As(TargetConnection), 2));
        return role;

        string As(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString) { Username = role, Password = "secret" }.ConnectionString;
    }
}
