using System.Globalization;
using PgPool.Tests;
using Xunit;

namespace PgPool.Migration.Tests.Copying;

public sealed class CopyMemoryTests(ServerFixture fixture) : MigrationTest(fixture)
{
    [Theory]
    [InlineData("int", 6, 50_000_000)] // rows that two workers could not hold
    [InlineData("regtype", 6, 50_000_000)] // by text
    [InlineData("int", 300_000, 200)]
    public async Task CopyAsync_LongRowsOrManyRows_TakesLittleMemory(string companion, int rows, int length)
    {
        const long Limit = 150_000_000;
        await CreateAsync($"CREATE TABLE t (id int PRIMARY KEY, c {companion}, v text)");
        await OnSourceAsync($"INSERT INTO t SELECT i, NULL, repeat('x', {length}) FROM generate_series(1, {rows}) i; ANALYZE t");

        var output = await ChildProgram.RunAsync([MemoryProgram.Name, "t"], new Dictionary<string, string>
        {
            [MemoryProgram.SourceVariable] = SourceConnection,
            [MemoryProgram.TargetVariable] = TargetConnection,
        }, Stop);

        var figures = output.Trim().Split(' ').Select(figure => long.Parse(figure, CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(rows, figures[0]);
        Assert.True(figures[1] > (long)rows * length, output);
        Assert.True(figures[2] < Limit, $"at most {figures[2] >> 20} MB");
        Assert.Equal(rows, await FromTargetAsync<long>($"SELECT count(*) FROM t WHERE v = repeat('x', {length})"));
    }
}
