using System.Diagnostics;
using System.Globalization;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Processes;

/// <summary>Processes that copy, one after the other and together, and are killed at random.</summary>
public sealed class CopyProcessTests(ServerFixture fixture) : MigrationTest(fixture)
{
    private const int Seed = 20261126;

    // A run of these tables looks at its clock far more than twenty times as often.
    private const int MostLooks = 60;

    // At which a copy takes several seconds: a process that starts late still finds work.
    private const long Slow = 400_000;

    [Fact]
    public async Task CopyAsync_KilledTwentyTimes_ArrivesExactly()
    {
        await CreateTablesAsync();
        var random = new Random(Seed);
        for (var round = 0; round < 20; round++)
            Assert.NotEqual(0, (await RunAsync(random.Next(1, MostLooks))).Code);

        var (code, output) = await RunAsync(looks: 0);

        Assert.True(code == 0, output);
        Assert.True(Figures(output).Skipped > 0, "The rounds did nothing.");
        await AssertCopiedAsync();
    }

    [Fact]
    public async Task CopyAsync_TwoAtOnceKilledAtRandom_ArrivesExactly()
    {
        await CreateTablesAsync();
        var random = new Random(Seed + 1);
        var steady = RunAsync(looks: 0);
        for (var round = 0; round < 3; round++)
            await RunAsync(random.Next(10, MostLooks));

        var (code, output) = await steady;

        Assert.True(code == 0, output);
        await AssertCopiedAsync();
    }

    [Fact]
    public async Task CopyAsync_TwoAtOnce_EachDoesItsShare()
    {
        await CreateTablesAsync();

        var ended = await Task.WhenAll(RunAsync(looks: 0, Slow), RunAsync(looks: 0, Slow));

        Assert.All(ended, process => Assert.True(process.Code == 0, process.Output));
        var figures = ended.Select(process => Figures(process.Output)).ToArray();
        Assert.Equal(await FromTargetAsync<long>("SELECT count(*) FROM pgpool_migration.partitions"), figures.Sum(figure => figure.Partitions));
        Assert.Equal(await FromTargetAsync<long>("SELECT sum(rows) FROM pgpool_migration.partitions"), figures.Sum(figure => figure.Rows));
        Assert.All(figures, figure => Assert.True(figure.Partitions > 0));
        await AssertCopiedAsync();
    }

    private async Task CreateTablesAsync()
    {
        await CreateAsync("""
            CREATE TABLE keyed (id int PRIMARY KEY, a text);
            CREATE TABLE heap (a int, b text);
            CREATE TABLE small (a int);
            CREATE TABLE doubled (id int PRIMARY KEY, a text)
            """);
        await OnSourceAsync("""
            INSERT INTO keyed SELECT i, repeat('k', 80) FROM generate_series(1, 12000) i;
            INSERT INTO heap SELECT i, repeat('h', 80) FROM generate_series(1, 12000) i;
            INSERT INTO small SELECT generate_series(1, 100);
            INSERT INTO doubled SELECT i, repeat('d', 80) FROM generate_series(1, 1000) i
            """);
    }

    private async Task AssertCopiedAsync()
    {
        foreach (var table in CopyProgram.Tables)
            await AssertSameTableAsync(table.Source.Name);
    }

    private static (long Rows, long Skipped, long Partitions) Figures(string output)
    {
        var figures = output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(figure => long.Parse(figure, CultureInfo.InvariantCulture)).ToArray();
        return (figures[0], figures[1], figures[2]);
    }

    private async Task<(int Code, string Output)> RunAsync(int looks, long bytesPerSecond = 3_000_000)
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [typeof(CopyProgram).Assembly.Location, CopyProgram.Name, RunId, N(looks), N(bytesPerSecond)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[CopyProgram.SourceVariable] = SourceConnection;
        start.Environment[CopyProgram.TargetVariable] = TargetConnection;
        using var process = Process.Start(start)!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(Stop), process.StandardError.ReadToEndAsync(Stop));
        await process.WaitForExitAsync(Stop);
        return (process.ExitCode, string.Concat(said));
    }
}
