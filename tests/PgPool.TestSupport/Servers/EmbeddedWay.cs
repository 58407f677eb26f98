using System.Collections.Concurrent;
using PgPool.TestSupport.Embedded;

namespace PgPool.TestSupport.Servers;

/// <summary>PostgreSQL's own programs, fetched once from a Maven repository.</summary>
internal sealed class EmbeddedWay(TestBedSettings settings) : LocalWay
{
    private readonly EmbeddedPostgres _embedded = new(settings.Repository, settings.CacheFolder, Console.Error);

    // Many tests ask. One of them waits in vain for a repository that does not answer.
    private readonly ConcurrentDictionary<int, string> _failures = new();

    public override string Name => "embedded";

    protected override async Task<PostgresPrograms> FindAsync(int? version, CancellationToken cancellationToken)
    {
        if (_failures.TryGetValue(version ?? 0, out var failure))
            throw new WayUnavailableException(failure);

        try
        {
            return new PostgresPrograms(await _embedded.GetProgramsAsync(version, cancellationToken));
        }
        catch (InvalidOperationException e)
        {
            _failures[version ?? 0] = e.Message;
            throw new WayUnavailableException(e.Message, e);
        }
    }
}
