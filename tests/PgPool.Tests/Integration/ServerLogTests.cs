using Xunit;

namespace PgPool.Tests.Integration;

/// <summary>What the administrator of the server reads in its log.</summary>
public sealed class ServerLogTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Return_CleanOrInATransaction_WritesNothingToTheServersLog()
    {
        var settings = new Dictionary<string, string> { ["log_min_messages"] = "notice" };
        await using var server = await Installed.StartServerAsync(new() { Local = true, Settings = settings });
        foreach (var reset in Enum.GetValues<SessionReset>())
        {
            await using var pool = Pool(options =>
            {
                options.ConnectionString = server.ConnectionString;
                options.SessionReset = reset;
                options.MinSize = 1;
            });
            await pool.WarmUpAsync(Stop);
            var before = await server.ReadLogAsync(Stop);

            for (var i = 0; i < 6; i++)
            {
                var lease = await pool.RentAsync(Stop);
                await ExecuteAsync(lease, "LISTEN left_behind; SELECT pg_advisory_lock(1); SET work_mem = '7MB'");
                if (reset == SessionReset.Full)
                    await ExecuteAsync(lease, "CREATE TEMP TABLE left_behind (a int)");
                if (reset != SessionReset.None && i > 3)
                    await ExecuteAsync(lease, "BEGIN");
                await ReturnAsync(lease, async: i % 2 == 0);
                await SettledAsync(pool);
            }

            Assert.Equal(before, await server.ReadLogAsync(Stop));
            Assert.Equal(1, pool.GetStatistics().Opened);
        }
    }
}
