using PgPool.TestSupport;
using PgPool.TestSupport.Servers;
using Xunit;

namespace PgPool.Tests.TestSupport;

/// <summary>The first way that works is taken; where none does, one message has what was wrong with each.</summary>
public class PostgresWaysTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("connection container programs embedded", "connection")]
    [InlineData("container programs embedded", "container")]
    [InlineData("programs embedded", "programs")]
    [InlineData("embedded", "embedded")]
    public async Task Start_SomeWork_TakesTheFirst(string working, string taken)
    {
        await using var server = await Ways([], working).StartAsync(new PostgresServerOptions(), Stop);

        Assert.Contains(taken, server.ConnectionString);
    }

    [Fact]
    public async Task Start_NoneWorks_TellsWhatWasWrongWithEach()
    {
        var error = await Assert.ThrowsAsync<NotInstalledException>(() => Ways([], "").StartAsync(new PostgresServerOptions(), Stop));

        Assert.Equal(5, error.Message.Split(Environment.NewLine).Length);
        Assert.All(new[] { "connection", "container", "programs", "embedded" }, way => Assert.Contains($"  {way}: no {way} here", error.Message));
    }

    [Fact]
    public async Task Start_OneIsForced_TriesNoOther()
    {
        var ways = Ways(new() { ["PGPOOL_POSTGRES"] = "programs" }, "connection container embedded");

        var error = await Assert.ThrowsAsync<NotInstalledException>(() => ways.StartAsync(new PostgresServerOptions(), Stop));

        Assert.Contains("programs: no programs here", error.Message);
        Assert.DoesNotContain("container", error.Message);
    }

    [Fact]
    public async Task Start_UnknownWayIsForced_NamesTheVariableAndTheWays()
    {
        var ways = Ways(new() { ["PGPOOL_POSTGRES"] = "docker" }, "container");

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ways.StartAsync(new PostgresServerOptions(), Stop));

        Assert.Equal("PGPOOL_POSTGRES is 'docker': it must be one of connection, container, programs, embedded.", error.Message);
    }

    [Theory]
    [InlineData(null, 18)]
    [InlineData(12, 12)]
    public async Task Start_VersionInTheEnvironment_HoldsUnlessTheOptionsAskForAnother(int? asked, int got)
    {
        var ways = Ways(new() { ["PGPOOL_POSTGRES_VERSION"] = "18" }, "embedded");

        await using var server = await ways.StartAsync(new PostgresServerOptions { Version = asked }, Stop);

        Assert.Contains($"Port={got}", server.ConnectionString);
    }

    [Fact]
    public async Task Start_VersionThatDoesNotExist_IsRefused()
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(
            () => Ways([], "embedded").StartAsync(new PostgresServerOptions { Version = 9 }, Stop));

        Assert.StartsWith("Version is 9: it must be 10 to 18.", error.Message);
    }

    [Theory]
    [InlineData("PGPOOL_POSTGRES_VERSION", "9", "PGPOOL_POSTGRES_VERSION is '9': it must be a major version of PostgreSQL, 10 to 18.")]
    [InlineData("PGPOOL_POSTGRES_VERSION", "15.3", "PGPOOL_POSTGRES_VERSION is '15.3': it must be a major version of PostgreSQL, 10 to 18.")]
    [InlineData("PGPOOL_POSTGRES_REPOSITORY", "/maven:secret", "PGPOOL_POSTGRES_REPOSITORY must be the address of a Maven repository")]
    [InlineData("PGPOOL_POSTGRES_REPOSITORY", "ftp://me:secret@host", "PGPOOL_POSTGRES_REPOSITORY must be the address of a Maven repository")]
    public void Settings_MakeNoSense_NameTheVariable(string name, string value, string told)
    {
        var error = Assert.Throws<InvalidOperationException>(() => TestBedSettings.Read(variable => variable == name ? value : null));

        Assert.StartsWith(told, error.Message);
        Assert.DoesNotContain("secret", error.Message);
    }

    [Fact]
    public void Settings_CacheHome_IsWhereProgramsAreKept()
    {
        var settings = TestBedSettings.Read(variable => variable == "XDG_CACHE_HOME" ? "/somewhere" : null);

        Assert.Equal("/somewhere/pgpool/postgres", settings.CacheFolder);
    }

    private static PostgresWays Ways(Dictionary<string, string> environment, string working) => new(
        TestBedSettings.Read(environment.GetValueOrDefault),
        [.. new[] { "connection", "container", "programs", "embedded" }.Select(name => new FakeWay(name, working.Split(' ').Contains(name)))]);

    // The server that it gives is never connected to.
    private sealed class FakeWay(string name, bool works) : IPostgresWay
    {
        public string Name => name;

        public Task<PostgresServer> StartAsync(int? version, PostgresServerOptions options, CancellationToken cancellationToken) => works
            ? Task.FromResult(new PostgresServer(PostgresServerSource.Local, $"Host={name};Port={version ?? 1}", owned: null))
            : throw new WayUnavailableException($"no {name} here");
    }
}
