using System.Xml;
using MysticMind.PostgresEmbed;
using PgPool.TestSupport.Servers;

namespace PgPool.TestSupport.Embedded;

/// <summary>PostgreSQL's programs from a Maven repository: fetched once, checked, and kept in a cache folder.</summary>
internal sealed class EmbeddedPostgres(Uri repository, string cacheFolder, TextWriter progress)
{
    private readonly PostgresCache _cache = new(cacheFolder);

    /// <summary>The folder of the programs of a release: the newest that there is of a major version, or of all.</summary>
    /// <exception cref="InvalidOperationException">There is none, or it could not be fetched; the message says why.</exception>
    public async Task<string> GetProgramsAsync(int? major, CancellationToken cancellationToken)
    {
        using var source = new PostgresRepository(repository, progress);
        try
        {
            // The pinned release is the best one: where it is kept, there is no question to ask and no network needed.
            var pinned = PostgresReleases.Pinned(major);
            var kept = _cache.Releases();
            var release = kept.Contains(pinned) ? pinned : await ChooseAsync(source, major, kept, cancellationToken);
            if (!_cache.Releases().Contains(release))
                await _cache.AddAsync(release, below => FetchAsync(source, release, below, cancellationToken), cancellationToken);
            return PostgresCache.ProgramsOf(_cache.FolderOf(release));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new InvalidOperationException(Explain(e, source), e);
        }
    }

    private static async Task<string> ChooseAsync(
        PostgresRepository source, int? major, IReadOnlyCollection<string> kept, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> offered;
        try
        {
            offered = await source.ListAsync(cancellationToken);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested && PostgresReleases.Choose(major, kept) is not null)
        {
            return PostgresReleases.Choose(major, kept)!;
        }

        return PostgresReleases.Choose(major, offered) ?? throw new PostgresEmbedException(
            $"it has no PostgreSQL {major?.ToString() ?? $"{PostgresReleases.Oldest} to {PostgresReleases.Newest}"} "
                + $"for {PgPlatform.Detect().ArtifactName}, but {(offered.Count == 0 ? "nothing" : string.Join(", ", offered))}");
    }

    private async Task<string> FetchAsync(PostgresRepository source, string release, string below, CancellationToken cancellationToken)
    {
        await progress.WriteAsync($"Fetching PostgreSQL {release} from {source} to {cacheFolder}, once");
        try
        {
            return await source.InstallAsync(release, below, cancellationToken);
        }
        finally
        {
            await progress.WriteLineAsync();
        }
    }

    // The package wraps what goes wrong in a message that does not say it.
    private string Explain(Exception exception, PostgresRepository source)
    {
        var cause = exception is PostgresEmbedException { InnerException: { } inner } ? inner : exception;
        var cure = cause switch
        {
            HttpRequestException or HttpIOException or XmlException => $" ({TestBedSettings.RepositoryVariable} names another Maven repository)",
            IOException or UnauthorizedAccessException => $" (XDG_CACHE_HOME names another place for {cacheFolder})",
            _ => "",
        };
        return $"{source}: {cause.Message.TrimEnd('.')}{cure}.";
    }
}
