using System.Diagnostics;
using CopyDatabase;
using Npgsql;
using PgPool.Tests;
using PgPool.TestSupport;
using Xunit;

namespace PgPool.Migration.Tests;

/// <summary>The sample, as its users run it.</summary>
public sealed class CopyDatabaseTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private static readonly string[] Tables = ["customers", "products", "orders", "order_lines", "documents", "\"AuditLog\"", "\"never used\""];

    [Fact]
    public async Task Demo_InterruptedKilledAndResumedByTwo_ArrivesExactly()
    {
        // Slow enough to be met at work.
        using var first = Start("--demo", "--limit", "80");
        await DoneAsync(1);
        await SignalAsync("-INT", first);
        var (code, output) = await EndAsync(first);
        Assert.Equal(130, code);
        var id = await FromTargetAsync<string>("SELECT run_id FROM pgpool_migration.runs");
        Assert.Contains($"the same command with --resume {id}", output, StringComparison.Ordinal);
        await Eventually.BecomesAsync(async () => await SampleSessionsAsync() == 0, "no session is left");

        using var second = Start("--resume", id, "--limit", "80");
        await DoneAsync(await FromTargetAsync<long>(Done) + 1);
        second.Kill();
        await EndAsync(second);

        using var third = Start("--resume", id);
        using var fourth = Start("--resume", id);
        foreach (var process in new[] { third, fourth })
        {
            (code, output) = await EndAsync(process);
            Assert.True(code == 0, output);
            Assert.DoesNotContain("DIFFERENT", output, StringComparison.Ordinal);
        }

        foreach (var table in Tables)
            await AssertSameTableAsync(table);
        Assert.Equal(150_001, await FromTargetAsync<long>("SELECT nextval(pg_get_serial_sequence('customers', 'id'))"));
    }

    private const string Done = "SELECT count(*) FROM pgpool_migration.partitions WHERE done_at IS NOT NULL";

    private Task DoneAsync(long count) => Eventually.BecomesAsync(
        async () => await FromTargetAsync<bool>("SELECT to_regclass('pgpool_migration.partitions') IS NOT NULL")
            && await FromTargetAsync<long>(Done) >= count,
        "a partition more is done", 4 * Eventually.Deadline);   // the first also fills its database before

    private Task<int> SampleSessionsAsync() => Server.ScalarAsync<int>(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'CopyDatabase' AND datname = $1",
        new NpgsqlConnectionStringBuilder(TargetConnection).Database!);

    private Process Start(params string[] arguments)
    {
        // A shell that starts a job in the background has it ignore SIGINT, and so whatever the job starts: here it is to be heard.
        var start = new ProcessStartInfo("env",
        [
            "--default-signal=INT", Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", typeof(DatabaseMove).Assembly.Location,
            "--source", WithoutPassword(SourceConnection), "--target", WithoutPassword(TargetConnection),
            "--degree", "2", "--disable-triggers", "--frozen", .. arguments,
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PGPASSWORD"] = new NpgsqlConnectionStringBuilder(SourceConnection).Password;
        return Process.Start(start)!;
    }

    private static string WithoutPassword(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Password = null }.ConnectionString;

    private static async Task SignalAsync(string signal, Process process)
    {
        using var kill = Process.Start("kill", [signal, $"{process.Id}"]);
        await kill.WaitForExitAsync(Stop);
    }

    private static async Task<(int Code, string Output)> EndAsync(Process process)
    {
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(Stop), process.StandardError.ReadToEndAsync(Stop));
        await process.WaitForExitAsync(Stop);
        return (process.ExitCode, string.Concat(said));
    }
}
