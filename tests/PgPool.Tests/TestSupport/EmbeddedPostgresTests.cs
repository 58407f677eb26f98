using PgPool.TestSupport;
using PgPool.TestSupport.Embedded;
using Xunit;

namespace PgPool.Tests.TestSupport;

/// <summary>Programs are fetched once, whole or not at all, and what goes wrong is told in one sentence.</summary>
public sealed class EmbeddedPostgresTests : IDisposable
{
    private readonly string _cache = Path.Combine(Directory.CreateTempSubdirectory("pgpool-cache-").FullName, "postgres");
    private readonly StringWriter _progress = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public EmbeddedPostgresTests()
    {
        // The account of root's servers goes through it, as through any cache.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path.GetDirectoryName(_cache)!, (UnixFileMode)0b_111_101_101);
    }

    public void Dispose()
    {
        _progress.Dispose();
        Directory.Delete(Path.GetDirectoryName(_cache)!, recursive: true);
    }

    [Fact]
    public async Task GetPrograms_Twice_FetchesOnceWithALineOfProgress()
    {
        await using var repository = await FakeRepository.StartAsync(PostgresReleases.Pinned(18), PostgresReleases.Pinned(12));

        var programs = await Embedded(repository).GetProgramsAsync(null, Stop);
        var again = await Embedded(repository).GetProgramsAsync(18, Stop);

        Assert.Equal(programs, again);
        Assert.All(PostgresPrograms.Needed, program => Assert.True(File.Exists(Path.Combine(programs, program))));
        Assert.Equal(1, repository.Downloads);
        Assert.Contains($"Fetching PostgreSQL {PostgresReleases.Pinned(18)} from {repository.Address}", _progress.ToString());
        Assert.Equal(1, _progress.ToString().Count(character => character == '\n'));
    }

    [Fact]
    public async Task GetPrograms_PinnedIsKept_NeedsNoRepository()
    {
        var repository = await FakeRepository.StartAsync(PostgresReleases.Pinned(12));
        var programs = await Embedded(repository).GetProgramsAsync(12, Stop);
        await repository.DisposeAsync();

        Assert.Equal(programs, await Embedded(repository).GetProgramsAsync(12, Stop));
    }

    [Fact]
    public async Task GetPrograms_NoVersionAsked_TakesTheNewestOfTheNewestThatThereIs()
    {
        await using var repository = await FakeRepository.StartAsync("9.6.24", "13.2.0", "13.20.0", "12.22.0", "99.0.0");

        var programs = await Embedded(repository).GetProgramsAsync(null, Stop);

        Assert.Contains("13.20.0", programs);
    }

    [Fact]
    public async Task GetPrograms_ManyAtOnce_FetchOnce()
    {
        var open = new TaskCompletionSource();
        await using var repository = await FakeRepository.StartAsync(PostgresReleases.Pinned(18));
        repository.Gate = open.Task;

        // An object each, as processes have: what they share is the folder.
        var fetches = Enumerable.Range(0, 4).Select(_ => Embedded(repository).GetProgramsAsync(18, Stop)).ToArray();
        await Eventually.BecomesAsync(() => repository.Downloads > 0, "one has begun to fetch");
        open.SetResult();

        Assert.Single((await Task.WhenAll(fetches)).Distinct());
        Assert.Equal(1, repository.Downloads);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public async Task GetPrograms_CutOff_LeavesNothingAndWorksTheNextTime(int at)
    {
        await using var repository = await FakeRepository.StartAsync(PostgresReleases.Pinned(18));
        repository.CutAt = at;
        await FailsAsync(repository, 18, "PGPOOL_POSTGRES_REPOSITORY names another Maven repository");

        repository.CutAt = null;
        Assert.True(Directory.Exists(await Embedded(repository).GetProgramsAsync(18, Stop)));
    }

    [Fact]
    public async Task GetPrograms_ProcessWasKilledBefore_RemovesItsLeftovers()
    {
        var leftover = Directory.CreateDirectory(Path.Combine(_cache, "unfinished-x", "bin"));
        await using var repository = await FakeRepository.StartAsync(PostgresReleases.Pinned(18));

        await Embedded(repository).GetProgramsAsync(18, Stop);

        Assert.False(Directory.Exists(leftover.FullName));
    }

    [Fact]
    public async Task GetPrograms_Damaged_IsRefused()
    {
        await using var repository = await FakeRepository.StartAsync(PostgresReleases.Pinned(18));
        repository.Damage(PostgresReleases.Pinned(18));

        await FailsAsync(repository, 18, "does not have the sha256 checksum that the repository publishes");
    }

    [Fact]
    public async Task GetPrograms_NoChecksum_IsRefused()
    {
        await using var repository = await FakeRepository.StartAsync(PostgresReleases.Pinned(18));
        repository.RemoveChecksum(PostgresReleases.Pinned(18));

        await FailsAsync(repository, 18, "the repository publishes no checksum of it");
    }

    [Fact]
    public async Task GetPrograms_VersionThatTheRepositoryLacks_TellsWhatItHas()
    {
        await using var repository = await FakeRepository.StartAsync("12.22.0");

        await FailsAsync(repository, 17, "it has no PostgreSQL 17");
        await FailsAsync(repository, 17, "but 12.22.0");
    }

    [Fact]
    public async Task GetPrograms_RepositoryDoesNotAnswer_TellsTheCure()
    {
        var repository = await FakeRepository.StartAsync();
        await repository.DisposeAsync();

        await FailsAsync(repository, 18, "PGPOOL_POSTGRES_REPOSITORY names another Maven repository");
    }

    [Fact]
    public async Task GetPrograms_FolderCannotBeWritten_TellsTheCure()
    {
        await File.WriteAllTextAsync(_cache, "a file where the folder should be: root may write to every folder", Stop);
        await using var repository = await FakeRepository.StartAsync(PostgresReleases.Pinned(18));

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => Embedded(repository).GetProgramsAsync(18, Stop));

        Assert.Contains($"XDG_CACHE_HOME names another place for {_cache}", error.Message);
        Assert.Equal(0, repository.Downloads);
    }

    private EmbeddedPostgres Embedded(FakeRepository repository) => new(repository.Address, _cache, _progress);

    private async Task FailsAsync(FakeRepository repository, int major, string told)
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => Embedded(repository).GetProgramsAsync(major, Stop));

        Assert.Contains(told, error.Message);
        Assert.StartsWith(repository.Address.AbsoluteUri, error.Message);
        Assert.True(!Directory.Exists(_cache) || Directory.GetDirectories(_cache).Length == 0);
    }
}
